using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary>Standard streams that are closed, full, of the wrong kind, or shared with others.</summary>
public sealed class StandardStreamTests
{
    private const string LinuxOnly = "The streams are set up by a shell.";

    // A parent that sends requests, at most until its pipe is full, and reads no answer; prints its relay's process id, and ends its sending after a line of input.
    private const string SilentParent = """
        import os, struct, subprocess, sys, time
        relay = subprocess.Popen([sys.argv[1], "serve"], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, bufsize=0)
        relay.stdin.write(b"\x94\x00\x01\xa3map\xdc" + struct.pack(">H", 500) + b"\x81\xa9guestPort\x50" * 500)
        relay.stdout.read(5)
        os.set_blocking(relay.stdin.fileno(), False)
        sent, full = 0, 0
        while full < 10 and sent < int(sys.argv[2]):
            count = relay.stdin.write(b"\x94\x00\x7f\xa4list\x90")
            sent, full = sent + 1, 0 if count else full + 1
            time.sleep(0 if count else 0.1)
        time.sleep(0.5)
        print(relay.pid, flush=True)
        sys.stdin.readline()
        relay.stdin.close()
        sys.exit(relay.wait())
        """;

    [Theory]
    [InlineData("<&-", "closed")]
    [InlineData("0>/dev/null", "writing only")]
    [InlineData("</", "directory")]
    public async Task Serve_without_a_standard_input_that_can_be_read_is_a_usage_error(string redirection, string problem)
    {
        var run = await RunAsync($"exec \"$0\" serve {redirection}");
        Assert.True(run.ExitCode == 2, $"{run}");
        Assert.StartsWith("wslrelay: standard input: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(problem, Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData(">&-")]
    [InlineData(">/dev/full")]
    [InlineData(">&- <&-")]
    [InlineData(">&- <&- 2>&-")]
    public async Task Forward_continues_without_a_standard_output(string redirection)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        await using var guest = GuestServer.Echo();
        var port = Net.FreePort();
        using var forward = RelayProgram.StartCommand(["/bin/sh", "-c", $"exec \"$0\" forward {port}:{guest.Port} {redirection}", RelayProgram.Path]);
        try
        {
            await Limits.UntilAsync(() => forward.HasExited || !Net.CanListen(Net.Loopback(4, port)), "it to listen");
            await new Mapping("tcp", 4, "127.0.0.1", port, guest.Port).AssertEchoAsync();
            await Limits.PauseAsync();
            Assert.False(forward.HasExited);
        }
        finally
        {
            forward.Kill();
        }
    }

    [Theory]
    [InlineData("</dev/null >&-")]
    [InlineData("</dev/null >/dev/full")]
    [InlineData("</dev/null 2>&-")]
    public async Task Serve_continues_without_a_standard_output_or_error(string redirection)
    {
        var run = await RunAsync($"exec \"$0\" serve {redirection}");
        Assert.True(run.ExitCode == 0, $"{run}");
    }

    [Fact]
    public async Task Help_that_cannot_be_written_fails_without_a_stack_trace()
    {
        var run = await RunAsync("exec \"$0\" --help >/dev/full");
        Assert.Equal((1, string.Empty), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task A_log_file_that_others_write_too_has_every_line_whole_and_in_order()
    {
        using var folder = new TemporaryFolder();
        var log = Path.Combine(folder.Path, "log");
        await RunAsync($"(echo first; \"$0\" serve </dev/null; echo last) >{log} 2>&1");
        var lines = await File.ReadAllLinesAsync(log, TestContext.Current.CancellationToken);
        Assert.Equal(3, lines.Length);
        Assert.Equal(("first", "last"), (lines[0], lines[2]));
        Assert.EndsWith("end of file on standard input", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("100")]
    [InlineData("1000000")]
    public async Task An_end_of_file_ends_the_relay_however_many_answers_are_unread(string requests)
    {
        RequiredTool.Require("python3", "python3", "--version");
        using var parent = RelayProgram.StartCommand(["python3", "-c", SilentParent, RelayProgram.Path, requests]);
        try
        {
            var relay = int.Parse((await parent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken))!);
            await Limits.AssertEndsInTimeAsync(relay, parent.StandardInput.WriteLine);
            await parent.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
            Assert.Equal(0, parent.ExitCode);
        }
        finally
        {
            parent.Kill(entireProcessTree: true);
        }
    }

    private static Task<ProgramRun> RunAsync(string script)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        return ProgramRun.OfAsync(["/bin/sh", "-c", script, RelayProgram.Path]);
    }
}
