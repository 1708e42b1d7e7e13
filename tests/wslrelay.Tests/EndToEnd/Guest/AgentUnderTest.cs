using System.Diagnostics;
using System.Text;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>An agent as a process of its own: that of wslrelay, or another program that prints where it listens in the same way. Killed at the end of its test.</summary>
internal sealed class AgentUnderTest : IAsyncDisposable
{
    private readonly StringBuilder _errors = new();

    private AgentUnderTest(Process process)
    {
        Process = process;
        _ = Task.Run(ReadErrorsAsync);
    }

    public Process Process { get; }

    /// <summary>Where it listens, as in <c>tcp:127.0.0.1:4711</c>.</summary>
    public string Listens { get; private set; } = "";

    /// <summary>Its log so far.</summary>
    public string Log
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>The environment's WSLRELAY_GUEST_PROGRAM, else the program in the tests' folder: the relay may be a program for another system.</summary>
    private static string Program { get; } = Environment.GetEnvironmentVariable("WSLRELAY_GUEST_PROGRAM") is { Length: > 0 } given
        ? Path.GetFullPath(given)
        : Path.Combine(AppContext.BaseDirectory, "wslrelay");

    public static Task<AgentUnderTest> StartAsync(GuestLink link, params string[] arguments) =>
        StartThroughAsync([], link, arguments);

    /// <summary>Started by a command that ends its arguments with the agent's own.</summary>
    public static Task<AgentUnderTest> StartThroughAsync(string[] wrapper, GuestLink link, params string[] arguments) =>
        StartCommandAsync([.. wrapper, Program, "guest", "--listen", link.ListenText, "--log-level", "debug", .. arguments]);

    /// <summary>Starts a program that prints <c>listens on ENDPOINT</c> once it does.</summary>
    public static async Task<AgentUnderTest> StartCommandAsync(string[] command)
    {
        Platform.OnLinuxOnly("The agent runs on Linux.");
        var agent = new AgentUnderTest(RelayProgram.StartCommand(command));
        try
        {
            var line = await agent.Process.StandardOutput.ReadLineAsync().WaitAsync(Limits.HangTimeout);
            Assert.StartsWith("listens on ", line, StringComparison.Ordinal);
            agent.Listens = line!["listens on ".Length..];
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs an agent that must end by itself.</summary>
    public static Task<ProgramRun> RunAsync(string listen)
    {
        Platform.OnLinuxOnly("The agent runs on Linux.");
        return ProgramRun.OfAsync([Program, "guest", "--listen", listen]);
    }

    /// <summary>Connects in the relay's place.</summary>
    public Task<System.Net.Sockets.Socket> ConnectAsync() => GuestLink.ConnectAsync(Listens);

    /// <summary>Waits for its end and returns its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await Process.WaitForExitAsync().WaitAsync(Limits.HangTimeout);
        return Process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
            Process.Kill(entireProcessTree: true);

        await Process.WaitForExitAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"agent {Process.Id} ended with {Process.ExitCode}; its log:\n{Log}");
        Process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await Process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_errors)
            {
                _errors.Append(line).Append('\n');
            }
        }
    }
}
