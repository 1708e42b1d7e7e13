using System.Diagnostics;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>The forward command as a person starts it; killed at the end of its test.</summary>
internal sealed class ForwardUnderTest(string[] arguments, params string[] wrapper) : IDisposable
{
    public ForwardUnderTest(params string[] arguments)
        : this(arguments, [])
    {
    }

    public Process Process { get; } = RelayProgram.Start(["forward", .. arguments], wrapper);

    public async Task<string> ReadLineAsync()
    {
        var line = await Process.StandardOutput.ReadLineAsync().WaitAsync(Limits.HangTimeout);
        Assert.True(line is not null, "It ended.");
        return line;
    }

    public async Task<int> ExitAsync()
    {
        await Process.WaitForExitAsync().WaitAsync(Limits.HangTimeout);
        return Process.ExitCode;
    }

    public void Dispose()
    {
        if (!Process.HasExited)
            Process.Kill();

        Process.Dispose();
    }
}
