using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary><c>--parent-pid</c>: a copy of the pipe in another process does not keep the relay running. The parent is another relay here.</summary>
public sealed class ParentExitTests
{
    // A zombie: a child that has exited and was not waited for.
    private const string Exited = """
        import os, sys
        child = os.fork() or os._exit(0)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        os.execv(sys.argv[1], [sys.argv[1], "serve", "--parent-pid", str(child)])
        """;

    [Fact]
    public async Task Ends_with_0_within_a_second_although_standard_input_is_still_open()
    {
        await using var parent = RelayUnderTest.Serve();
        await using var relay = RelayUnderTest.Serve("--parent-pid", $"{parent.Process.Id}");
        using var pair = await RelayedPair.OpenAsync(relay);
        await Limits.PauseAsync();
        Assert.False(relay.Process.HasExited);
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, parent.Process.Kill);
        Assert.Equal(0, await relay.ExitAsync());
        await pair.Client.AssertResetAsync();
        Assert.Contains("parent", relay.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lets_connections_drain_as_an_end_of_file_does()
    {
        await using var parent = RelayUnderTest.Serve();
        await using var relay = RelayUnderTest.Serve("--parent-pid", $"{parent.Process.Id}", "--drain-ms", "600000");
        using var pair = await RelayedPair.OpenAsync(relay);
        parent.Process.Kill();
        await Limits.UntilAsync(() => Net.CanListen(pair.Mapping.EndPoint), "the listener to stop");
        await pair.Client.SendAllAsync("last"u8.ToArray());
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("last"u8.ToArray(), await pair.Guest.ReceiveToEndAsync());
        pair.Guest.Shutdown(SocketShutdown.Send);
        await pair.Client.AssertEndAsync();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task End_of_file_still_ends_the_relay()
    {
        await using var parent = RelayUnderTest.Serve();
        await using var relay = RelayUnderTest.Serve("--parent-pid", $"{parent.Process.Id}");
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("parent")]
    [InlineData("2147483647")]
    public Task A_number_that_is_no_process_is_a_usage_error(string id) => AssertUsageErrorAsync(RelayProgram.Path, "serve", "--parent-pid", id);

    [Fact]
    public Task A_process_that_has_exited_is_a_usage_error()
    {
        Platform.OnLinuxOnly("Only Linux has zombies.");
        RequiredTool.Require("python3", "python3", "--version");
        return AssertUsageErrorAsync("python3", "-c", Exited, RelayProgram.Path);
    }

    [Theory]
    [InlineData("setpriv --reuid 65534 sleep 20 >/dev/null 2>&1 & until [ $(stat -c %u /proc/$!) = 65534 ]; do sleep 0.01; done; exec \"$0\" serve --parent-pid $!")]
    [InlineData("sleep 20 >/dev/null 2>&1 & exec setpriv --reuid 65534 \"$0\" serve --parent-pid $!")]
    public async Task A_process_of_another_user_is_a_usage_error(string script)
    {
        Platform.OnLinuxOnly("The user is changed by setpriv.");
        RequiredTool.Require("setpriv", "util-linux", "--reuid", "65534", "true");
        await AssertUsageErrorAsync("/bin/sh", "-c", script, RelayProgram.Path);
    }

    private static async Task AssertUsageErrorAsync(params string[] command)
    {
        var run = await ProgramRun.OfAsync(command);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("wslrelay: --parent-pid: ", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }
}
