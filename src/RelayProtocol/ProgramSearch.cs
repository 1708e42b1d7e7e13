namespace RelayProtocol;

/// <summary>Finds a program by its name. Stateless.</summary>
internal static class ProgramSearch
{
    /// <summary>
    /// The full path of a program. A path is taken from the current directory; a bare name is looked for in the directories of PATH, those that are given in full,
    /// and never in the current directory.
    /// </summary>
    /// <exception cref="FileNotFoundException">No directory of PATH has it.</exception>
    internal static string FullPath(string program)
    {
        if (Path.GetFileName(program) != program)
            return Path.GetFullPath(program);

        string file = Path.PathSeparator == ';' && !Path.HasExtension(program) ? program + ".exe" : program;
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string candidate = Path.Combine(folder, file);
            if (Path.IsPathFullyQualified(candidate) && File.Exists(candidate))
                return candidate;
        }

        throw new FileNotFoundException($"cannot start '{program}': no directory of PATH has it; give its full path", program);
    }
}
