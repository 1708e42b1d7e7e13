using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary>Signals end a command with exit code 0 and every connection reset. <c>serve</c> leaves the terminal's signals to its parent.</summary>
public sealed class SignalTests
{
    private const string LinuxOnly = "Signals are Linux's.";

    // Runs a command with a terminal as its standard streams: types a line, Ctrl+C once it is answered, and prints the output.
    private const string Terminal = """
        import os, pty, sys
        child, terminal = pty.fork()
        if child == 0:
            os.execv(sys.argv[1], sys.argv[1:])
        os.write(terminal, b"\n")
        output = b""
        while b"error" not in output:
            output += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        try:
            while True:
                output += os.read(terminal, 4096)
        except OSError:
            print(output)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """;

    [Theory]
    [InlineData(Libc.SIGTERM)]
    [InlineData(Libc.SIGQUIT)]
    public async Task Ends_serve_with_0_and_resets_its_connections(int signal)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        Libc.Kill(relay.Process.Id, signal);
        await pair.Client.AssertResetAsync();
        await pair.Guest.AssertResetAsync();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Theory]
    [InlineData(Libc.SIGINT)]
    [InlineData(Libc.SIGHUP)]
    public async Task Serve_ignores_the_terminals_signals_to_the_process_group(int signal)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        using var client = await mapping.ConnectAsync();
        await client.AssertEchoAsync();
        Libc.Kill(relay.Process.Id, signal);
        await Limits.PauseAsync();
        await client.AssertEchoAsync();
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Control_C_ends_serve_where_its_standard_input_is_a_terminal()
    {
        Platform.OnLinuxOnly(LinuxOnly);
        RequiredTool.Require("python3", "python3", "--version");
        var run = await ProgramRun.OfAsync(["python3", "-c", Terminal, RelayProgram.Path, "serve"]);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.Contains("SIGINT", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Libc.SIGINT)]
    [InlineData(Libc.SIGTERM)]
    [InlineData(Libc.SIGHUP)]
    [InlineData(Libc.SIGQUIT)]
    public async Task Ends_forward_with_0_and_resets_its_connections(int signal)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        using var listener = Net.Listen(Net.Loopback(4));
        using var forward = new ForwardUnderTest($"0:{((IPEndPoint)listener.LocalEndPoint!).Port}");
        using var client = await ConnectAsync(forward);
        using var guest = await listener.AcceptConnectionAsync();
        Libc.Kill(forward.Process.Id, signal);
        await client.AssertResetAsync();
        await guest.AssertResetAsync();
        Assert.Equal(0, await forward.ExitAsync());
    }

    [Theory]
    [InlineData(Libc.SIGINT)]
    [InlineData(Libc.SIGTERM)]
    [InlineData(Libc.SIGHUP)]
    public async Task Ends_guest_with_0_and_resets_its_connections(int signal)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        using var listener = Net.Listen(Net.Loopback(4));
        using var link = GuestLink.Create("tcp");
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var relay = RelayUnderTest.Serve("--target", agent.Listens);
        var mapping = await relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        using var client = await mapping.ConnectAsync();
        using var guest = await listener.AcceptConnectionAsync();
        await client.SendAllAsync("x"u8.ToArray());
        await guest.ReceiveExactlyAsync(1);
        Libc.Kill(agent.Process.Id, signal);
        await client.AssertResetAsync();
        await guest.AssertResetAsync();
        await agent.Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
        Assert.Equal(0, agent.Process.ExitCode);
    }

    [Fact]
    public async Task Ends_demo_with_0()
    {
        Platform.OnLinuxOnly(LinuxOnly);
        using var demo = RelayProgram.Start(["demo", "--ports", "10000"]);
        await demo.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
        Libc.Kill(demo.Id, Libc.SIGTERM);
        var output = demo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await demo.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
        Assert.Equal(0, demo.ExitCode);
        Assert.DoesNotContain("everything worked", await output, StringComparison.Ordinal);
    }

    /// <summary>As nohup does with SIGHUP, and a shell without job control with SIGINT and SIGQUIT in the background.</summary>
    [Theory]
    [InlineData("HUP", Libc.SIGHUP)]
    [InlineData("INT", Libc.SIGINT)]
    [InlineData("QUIT", Libc.SIGQUIT)]
    public async Task Signals_ignored_at_the_start_stay_ignored(string name, int signal)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        await using var guest = GuestServer.Echo();
        using var forward = new ForwardUnderTest([$"0:{guest.Port}"], "/bin/sh", "-c", $"trap '' {name}; exec \"$0\" \"$@\"");
        using var client = await ConnectAsync(forward);
        await client.AssertEchoAsync();
        Libc.Kill(forward.Process.Id, signal);
        await Limits.PauseAsync();
        await client.AssertEchoAsync();
        Libc.Kill(forward.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await forward.ExitAsync());
    }

    /// <summary>The first process of a container gets only signals that it has a handler for.</summary>
    [Theory]
    [InlineData("serve")]
    [InlineData("forward", "0:80")]
    public async Task SIGTERM_ends_the_relay_as_process_1(params string[] command)
    {
        Platform.OnLinuxOnly(LinuxOnly);
        RequiredTool.Require("unshare", "util-linux", "-pf", "true");
        using var outside = RelayProgram.Start(command, "unshare", "-pf", "--kill-child");
        var inside = 0;
        await Limits.UntilAsync(() => int.TryParse(File.ReadAllText($"/proc/{outside.Id}/task/{outside.Id}/children"), out inside), "the relay to start");
        await Limits.UntilAsync(() => File.ReadAllText($"/proc/{inside}/comm").StartsWith("wslrelay", StringComparison.Ordinal), "the relay to start");
        // A signal that comes before its handler is installed is lost: the program is ready once it prints something.
        await outside.StandardInput.BaseStream.WriteAsync(Hello, TestContext.Current.CancellationToken);
        await outside.StandardInput.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
        await outside.StandardOutput.BaseStream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        Libc.Kill(inside, Libc.SIGTERM);
        await outside.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
        Assert.Equal(0, outside.ExitCode);
    }

    // [0, 1, "hello", []]
    private static byte[] Hello => [0x94, 0, 1, 0xa5, .. "hello"u8, 0x90];

    private static async Task<Socket> ConnectAsync(ForwardUnderTest forward)
    {
        var line = await forward.ReadLineAsync();
        return await new Mapping("tcp", 4, "127.0.0.1", int.Parse(line.Split(':', '/')[1]), 0).ConnectAsync();
    }
}
