using System.Diagnostics;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>Start and end of the child on Linux, with shells in the relay's place.</summary>
public class RelayProcessTests
{
    public static bool IsLinux => OperatingSystem.IsLinux();

    private static CancellationToken Deadline => FakeRelay.Deadline;

    private static RelayStartInfo Shell => new("/bin/sh") { StandardError = RelayStandardError.Pipe };

    private static RelayProcess Start(RelayStartInfo info, string script) => RelayProcess.Start(info, n => ["-c", script, "sh", $"{n}"]);

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Disposing_ends_the_input_and_waits()
    {
        RelayProcess relay = Start(Shell, "cat >/dev/null; exit 4");
        Assert.True(Directory.Exists($"/proc/{relay.Id}"));
        await relay.DisposeAsync();
        Assert.Equal(4, await relay.WaitForExitAsync(Deadline));
        Assert.False(Directory.Exists($"/proc/{relay.Id}"));
        await relay.DisposeAsync();
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Disposing_kills_a_relay_that_does_not_exit()
    {
        RelayStartInfo info = Shell;
        info.ExitTimeout = TimeSpan.FromMilliseconds(100);
        info.Drain = TimeSpan.FromMilliseconds(200);
        RelayProcess relay = Start(info, "exec sleep 60");
        var watch = Stopwatch.StartNew();
        await relay.DisposeAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(250), TimeSpan.MaxValue);
        Assert.Equal(-9, await relay.WaitForExitAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task A_relay_that_was_killed_fails_the_calls_with_its_exit_code_at_once()
    {
        await using RelayProcess relay = Start(Shell, "exec cat >/dev/null");
        Task call = relay.Client.ListAsync(Deadline);
        relay.Kill();
        RelayDisconnectedException thrown = await Assert.ThrowsAsync<RelayDisconnectedException>(() => call.WaitAsync(Deadline));
        Assert.Equal(-9, thrown.ExitCode);
        await Assert.ThrowsAsync<RelayDisconnectedException>(() => relay.Client.ListAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task Closing_the_input_lets_the_relay_end_by_itself()
    {
        await using RelayProcess relay = Start(Shell, "cat >/dev/null; exit 0");
        relay.CloseInput();
        Assert.Equal(0, await relay.WaitForExitAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task The_exit_event_reaches_the_relay_and_its_number_is_3()
    {
        // The descriptor does not block, so a shell has to poll it.
        await using RelayProcess relay = Start(
            Shell, "echo $1 >&2; until [ \"$(dd bs=8 count=1 <&3 2>/dev/null | wc -c)\" = 8 ]; do sleep 0.02; done; exit 6");
        using var error = new StreamReader(relay.StandardError!);
        Assert.Equal("3", await error.ReadLineAsync(Deadline));
        relay.SignalExit();
        Assert.Equal(6, await relay.WaitForExitAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public async Task A_shared_exit_event_stays_usable_after_a_relay_has_ended()
    {
        using var exit = new RelayExitEvent();
        RelayStartInfo info = Shell;
        info.ExitEvent = exit;
        await using (Start(info, "cat >/dev/null"))
        {
        }
        exit.Signal();
        await using RelayProcess second = Start(info, "dd bs=8 count=1 <&3 2>/dev/null | wc -c >&2");
        using var error = new StreamReader(second.StandardError!);
        Assert.Equal("8", await error.ReadLineAsync(Deadline));
    }

    [Fact(Skip = "Linux only", SkipUnless = nameof(IsLinux))]
    public void A_missing_program_is_named()
    {
        var info = new RelayStartInfo("no/such/wslrelay");
        Assert.EndsWith("no/such/wslrelay", Assert.Throws<FileNotFoundException>(() => RelayProcess.Start(info)).FileName, StringComparison.Ordinal);
    }

    [Fact]
    public void The_arguments_are_those_of_serve()
    {
        var info = new RelayStartInfo("wslrelay");
        Assert.Equal(
            ["serve", "--target", "direct", "--exit-event", "3", "--parent-pid", $"{Environment.ProcessId}", "--log-level", "information"],
            info.Arguments(3));
        info.ParentProcessId = null;
        info.Target = RelayTarget.VSock(3, 5000);
        info.Drain = TimeSpan.FromSeconds(1.5);
        info.AllowRemote = true;
        info.LogLevel = RelayLogLevel.Debug;
        info.ExtraArguments.Add("--more");
        Assert.Equal(
            ["serve", "--target", "vsock:3:5000", "--exit-event", "712", "--drain-ms", "1500", "--allow-remote", "--log-level", "debug", "--more"],
            info.Arguments(712));
    }

    [Fact]
    public void A_start_that_the_relay_would_refuse_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new RelayStartInfo(""));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayProcess.Start(new RelayStartInfo("x") { Drain = TimeSpan.FromHours(2) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayProcess.Start(new RelayStartInfo("x") { ExitTimeout = TimeSpan.FromTicks(-1) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayProcess.Start(new RelayStartInfo("x") { ParentProcessId = 0 }));
        var info = new RelayStartInfo("x");
        info.ExtraArguments.Add("a\0b");
        Assert.Throws<ArgumentException>(() => RelayProcess.Start(info));
    }
}
