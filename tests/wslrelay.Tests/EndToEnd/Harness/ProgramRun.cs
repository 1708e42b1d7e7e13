namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>One run of a program to its end, with its standard input left open unless it is given.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs the program under test.</summary>
    public static Task<ProgramRun> OfRelayAsync(params string[] arguments) => OfAsync([RelayProgram.Path, .. arguments]);

    public static async Task<ProgramRun> OfAsync(string[] command, string? workingDirectory = null)
    {
        using var process = RelayProgram.StartCommand(command, workingDirectory);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Limits.TransferTimeout);
            return new ProgramRun(process.ExitCode, await output.WaitAsync(Limits.HangTimeout), await error.WaitAsync(Limits.HangTimeout));
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: !OperatingSystem.IsWindows());
        }
    }
}
