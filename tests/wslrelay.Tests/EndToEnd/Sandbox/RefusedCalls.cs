using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Sandbox;

/// <summary>The program refuse-call, compiled once: a real seccomp filter around the program under test.</summary>
public sealed class RefusedCalls : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private string Program => Path.Combine(_folder.Path, "refuse-call");

    /// <summary>The wrapper of a command for which these calls (names separated by commas) fail with this errno.</summary>
    public string[] Wrap(string calls, int errno) => [Program, $"{errno}", calls];

    public async ValueTask InitializeAsync()
    {
        if (!OperatingSystem.IsLinux())
            return;

        var run = await ProgramRun.OfAsync(["gcc", "-O", "-o", Program, Path.Combine(AppContext.BaseDirectory, "EndToEnd/Sandbox/refuse-call.c")]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
