using System.Text;

namespace RelayProtocol.Windows;

/// <summary>
/// Joins arguments to the one string that a Windows process gets, so that CommandLineToArgvW and the C runtime split it into the
/// same arguments. Pure; any thread, any system.
/// </summary>
/// <remarks>
/// Source: Microsoft's "Parsing C command-line arguments" and CommandLineToArgvW: a quotation mark is written with a backslash before
/// it; backslashes count double where a quotation mark follows them, also the closing one, and are plain elsewhere.
/// </remarks>
internal static class CommandLine
{
    /// <summary>The command line of a program and its arguments.</summary>
    /// <param name="program">
    /// The program's path. The first argument is split by other rules, in which a quotation mark cannot be escaped; no path holds one.
    /// </param>
    /// <param name="arguments">The arguments, of any content but NUL.</param>
    internal static string Join(string program, IEnumerable<string> arguments)
    {
        var line = new StringBuilder();
        line.Append('"').Append(program).Append('"');
        foreach (string argument in arguments)
        {
            line.Append(' ');
            Append(line, argument);
        }
        return line.ToString();
    }

    private static void Append(StringBuilder line, string argument)
    {
        if (argument.Length > 0 && argument.AsSpan().IndexOfAny(" \t\n\v\"") < 0)
        {
            line.Append(argument);
            return;
        }
        line.Append('"');
        int backslashes = 0;
        foreach (char c in argument)
        {
            if (c == '\\')
            {
                backslashes++;
                continue;
            }
            line.Append('\\', c == '"' ? (backslashes * 2) + 1 : backslashes).Append(c);
            backslashes = 0;
        }
        line.Append('\\', backslashes * 2).Append('"');
    }
}
