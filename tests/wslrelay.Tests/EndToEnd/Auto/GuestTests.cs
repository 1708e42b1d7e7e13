using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using RelayProtocol;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>Real servers in a guest with a network of its own, reached on the host's loopback for as long as they run.</summary>
public sealed class GuestTests
{
    private const string Node = "/usr/bin/node";

    [Fact]
    public async Task Forward_prints_each_port_as_it_comes_and_goes()
    {
        RequiredTool.Require(Node, "nodejs", "--version");
        await using var guest = await NamespaceGuest.StartAsync();
        var port = Net.FreePort(2);
        using var forward = new ForwardUnderTest("--auto", "--exclude", $"{port + 1}", $"127.0.0.1:0:{port}", "--target", guest.Target);
        Assert.Equal($"-> {guest.Target} {port}", (await forward.ReadLineAsync()).Split(' ', 2)[1]);
        using var server = guest.Run([Node, "-e", $"for (const port of [{port}, {port + 1}]) require('net').createServer(s => s.end('hello')).listen(port, '::')"]);
        Assert.StartsWith($"127.0.0.1:{port} -> {port}", await forward.ReadLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith($"[::1]:{port} -> {port}", await forward.ReadLineAsync(), StringComparison.Ordinal);
        foreach (var family in (int[])[4, 6])
        {
            using var client = new Socket(Net.Loopback(family).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(Net.Loopback(family, port), TestContext.Current.CancellationToken);
            Assert.Equal("hello"u8.ToArray(), await client.ReceiveToEndAsync());
        }

        server.Kill();
        Assert.Equal([$"127.0.0.1:{port} is gone", $"[::1]:{port} is gone"], new[] { await forward.ReadLineAsync(), await forward.ReadLineAsync() }.Order());
        Libc.Kill(forward.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await forward.ExitAsync());
    }

    [Fact]
    public async Task Forward_shows_a_port_that_comes_and_goes_as_json_and_in_its_table()
    {
        RequiredTool.Require(Node, "nodejs", "--version");
        await using var guest = await NamespaceGuest.StartAsync();
        var port = Net.FreePort();
        await using var terminal = await Terminal.StartAsync(80, 24, "", "forward", "--auto", "--watch", "--target", guest.Target);
        await terminal.UntilAsync("0 mappings");
        using (var server = guest.Run([Node, "-e", $"require('net').createServer().listen({port}, '127.0.0.1')"]))
        {
            await terminal.UntilAsync($@"^127\.0\.0\.1:{port}/tcp +listening +0/0 .* {port} node$");
            server.Kill();
        }

        await terminal.UntilAsync("0 mappings");
        await terminal.PressAsync("C-c");
        await terminal.UntilAsync("^ended 0$");
        using var forward = new ForwardUnderTest("--auto", "--json", "--target", guest.Target);
        Assert.Equal("agent up", await LineAsync("state"));
        using (var server = guest.Run([Node, "-e", $"require('net').createServer().listen({port}, '127.0.0.1')"]))
        {
            Assert.Equal($"mapped {port}", await LineAsync("hostPort"));
            server.Kill();
        }

        Assert.Equal($"unmapped {port}", await LineAsync("hostPort"));

        // Its own end is none of the agent's.
        Libc.Kill(forward.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await forward.ExitAsync());
        Assert.DoesNotContain("the agent", await forward.Process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        async Task<string> LineAsync(string key)
        {
            using var line = JsonDocument.Parse(await forward.ReadLineAsync());
            return $"{line.RootElement.GetProperty("event")} {line.RootElement.GetProperty(key)}";
        }
    }

    [Fact]
    public async Task Where_relay_and_agent_share_a_network_nothing_is_mapped_onto_itself()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        await using var echo = GuestServer.Echo(port: Net.FreePort());
        var port = echo.Port;
        var own = await relay.MapAsync(port, Net.FreePort());
        foreach (var round in (int[])[1, 2])
        {
            var result = Assert.IsType<MsgMap>(await relay.ResultAsync("auto", new MsgMap { ["ports"] = $"{port},{own.HostPort}" }));
            Assert.Empty(Assert.IsType<object?[]>(result["mapped"]));
            var failure = Assert.IsType<MsgMap>(Assert.Single(Assert.IsType<object?[]>(result["failed"])));
            Assert.Equal(port, Mapping.Parse(failure["mapping"]).HostPort);
            Assert.Equal("AddressInUse", Fault.Parse(failure["error"]).Name);
            await own.AssertEchoAsync();
        }

        // A relay that connects later gets a report of everything that listens there now, its own listeners too.
        await using var other = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var later = Assert.IsType<MsgMap>(await other.ResultAsync("auto", new MsgMap { ["ports"] = $"{port}" }));
        Assert.Contains("shares", Fault.Parse(Assert.IsType<MsgMap>(Assert.Single(Assert.IsType<object?[]>(later["failed"])))["error"]).Message, StringComparison.Ordinal);

        // Not even when the server has ended and its port is free: nothing listens there any more.
        await echo.DisposeAsync();
        await Limits.PauseAsync(7000);
        Assert.Equal(own, Mapping.Parse(Assert.Single(await relay.ResultsAsync("list"))));
        Assert.True(Net.CanListen(Net.Loopback(4, port)));
    }

    [Fact]
    public async Task An_agent_that_is_killed_and_started_again_is_followed_again()
    {
        await using var guest = await NamespaceGuest.StartAsync();
        await using var relay = RelayUnderTest.Serve("--target", guest.Target);
        var port = Net.FreePort(2);
        await relay.ResultAsync("auto", new MsgMap { ["ports"] = $"{port}-{port + 1}" });
        using var first = guest.Run([NamespaceGuest.Python, "-m", "http.server", $"{port}"]);
        await UntilAnswersAsync(Net.Loopback(4, port));
        await guest.RestartAgentAsync();
        using var second = guest.Run([NamespaceGuest.Python, "-m", "http.server", $"{port + 1}"]);
        await UntilAnswersAsync(Net.Loopback(4, port + 1));
        await UntilAnswersAsync(Net.Loopback(4, port));
    }

    [Fact]
    public async Task The_library_asks_for_auto_and_reads_its_events()
    {
        await using var guest = await NamespaceGuest.StartAsync();
        await using var relay = RelayProgram.Start(new RelayStartInfo(RelayProgram.Path) { Target = RelayTarget.Parse(guest.Target) });
        var port = Net.FreePort();
        using var server = guest.Run([NamespaceGuest.Python, "-m", "http.server", $"{port}"]);
        await using var events = relay.Client.EventsAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var next = events.MoveNextAsync();
        var result = await relay.Client.AutoMapAsync(new AutoMapOptions { Ports = $"{port}" }, TestContext.Current.CancellationToken);
        Assert.Empty(result.Failed);
        for (RelayEvent? item = null; item is not MappedEvent { Auto: true }; next = events.MoveNextAsync())
        {
            Assert.True(await next.AsTask().WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken));
            item = events.Current;
        }

        Assert.True(Assert.Single(await relay.Client.ListAsync(TestContext.Current.CancellationToken)).Auto);
        await relay.Client.EndAutoMapAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await relay.Client.ListAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Random_servers_come_and_go_during_traffic()
    {
        await using var guest = await NamespaceGuest.StartAsync();
        await using var relay = RelayUnderTest.Serve("--target", guest.Target);
        var ports = Net.FreePort(40);
        await relay.ResultAsync("auto", new MsgMap { ["ports"] = $"{ports}-{ports + 39}" });

        // The first twenty keep running and echo; of the others each of 300 steps opens or closes one, and the last open set is printed.
        using var servers = guest.Run([NamespaceGuest.Python, "-u", Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Auto", "random_servers.py"), $"{ports}"]);
        var listed = servers.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
        await Limits.UntilAsync(async () => (await relay.ResultsAsync("list")).Length >= 20, "the twenty servers that keep running");
        while (!listed.IsCompleted)
        {
            foreach (var port in Enumerable.Range(ports, 20))
                await new Mapping("tcp", 4, "127.0.0.1", port, port).AssertEchoAsync();
        }

        var expected = (await listed)!.Split(' ').Select(int.Parse).ToArray();
        await Limits.UntilAsync(
            async () => (await relay.ResultsAsync("list")).Select(entry => Mapping.Parse(entry).HostPort).SequenceEqual(expected), "both sides to agree");
        Assert.All(await relay.ResultsAsync("list"), entry => Assert.Equal(0L, ((MsgMap)entry!)["failed"]));
    }

    private static Task UntilAnswersAsync(IPEndPoint address) => Limits.UntilAsync(
        async () =>
        {
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(address);
                await client.SendAllAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
                return (await client.ReceiveToEndAsync()).AsSpan().StartsWith("HTTP/1.0 200"u8);
            }
            catch (SocketException)
            {
                return false;
            }
        },
        $"{address} to answer");
}
