using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.Tests.Io;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Over a Unix socket one connection between relay and agent serves one client after the other (protocol, section 3, "keep").</summary>
public sealed class KeptConnectionTests
{
    private const string Python = "/usr/bin/python3";
    private const int MaxAtAgent = 256;

    private static readonly int MaxAtRelay = 64 * RelayProgram.LoopCount;

    private static readonly byte[] Keep = MsgEncoder.Encode(new MsgMap { ["keep"] = true });

    [Fact]
    public async Task One_serves_many_clients_of_all_mappings_and_is_given_up_when_none_comes()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await using var server4 = GuestServer.Echo();
        await using var server6 = GuestServer.Echo(family: 6);
        var mappings = await chain.Relay.MapAsync(
            new MsgMap { ["guestPort"] = server4.Port },
            new MsgMap { ["guestPort"] = server6.Port, ["guestFamily"] = 0 },
            new MsgMap { ["guestPort"] = Net.FreePort() });
        var seen = new HashSet<string>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 8; i++)
        {
            await mappings[0].AssertEchoAsync();
            await mappings[1].AssertEchoAsync();
            seen.UnionWith(Connections(chain.Link));
            await mappings[2].AssertResetAsync();
            seen.UnionWith(Connections(chain.Link));
        }

        // Nothing is given up sooner than after a second.
        Assert.InRange(seen.Count, 1, RelayProgram.LoopCount * (1 + (int)clock.Elapsed.TotalSeconds));
        Assert.Equal("ConnectionRefused", ((MsgMap)(await chain.Relay.CountersAsync(mappings[2]))["lastError"]!)["name"]);
        Assert.Equal([0L, 0L, 8L], (await chain.Relay.ResultsAsync("list")).OrderBy(item => Array.IndexOf(mappings, Mapping.Parse(item))).Select(item => ((MsgMap)item!)["failed"]));

        await Limits.UntilAsync(() => Connections(chain.Link).Count == 0, "the idle connection to be given up");
        Assert.DoesNotContain("InvalidParams", chain.Agent.Log, StringComparison.Ordinal);
        await mappings[0].AssertEchoAsync();
    }

    [Fact]
    public async Task A_thousand_clients_at_once_are_served_and_few_connections_stay()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        await mapping.AssertEchoAsync();
        var before = Sockets();
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => mapping.AssertEchoAsync()));
        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["active"] is 0L, "the clients to be gone");
        Assert.InRange(Sockets(), 0, before + MaxAtRelay);
        await Limits.UntilAsync(() => Connections(chain.Link).Count <= MaxAtRelay, "the agent to have no more");
        Assert.Equal(0L, (await chain.Relay.CountersAsync(mapping))["failed"]);

        int Sockets() => Directory.GetFiles($"/proc/{chain.Relay.Process.Id}/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_agent_that_was_killed_and_started_again_loses_no_client(bool restartsAtOnce)
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => mapping.AssertEchoAsync()));
        chain.Agent.Process.Kill();
        await chain.Agent.ExitAsync();
        if (!restartsAtOnce)
        {
            await mapping.AssertResetAsync();
            await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
        }

        await using var second = await AgentUnderTest.StartAsync(chain.Link);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => mapping.AssertEchoAsync()));
        Assert.Equal(restartsAtOnce ? 0L : 1L, (await chain.Relay.CountersAsync(mapping))["failed"]);
    }

    [Theory]
    [InlineData("stray", null)]
    [InlineData("strays", null)]
    [InlineData("close", null)]
    [InlineData("unread", null)]
    [InlineData("two", "not a connected TCP socket")]
    [InlineData("twice", "not a connected TCP socket")]
    [InlineData("amid", "without an answer")]
    [InlineData("bare", "without the server's socket")]
    [InlineData("nil", "without the server's socket")]
    public async Task An_agent_that_breaks_one_costs_a_new_connection_or_has_its_reason_told(string what, string? reason)
    {
        using var link = GuestLink.Create("unix");
        await using var server = GuestServer.Echo();
        await using var agent = await StartAsync(link, what, server.Port);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var mapping = await relay.MapAsync(server.Port);
        var isStray = what.StartsWith("stray", StringComparison.Ordinal);
        Descriptors? descriptors = null;
        for (var i = 1; i <= 6; i++)
        {
            if (reason is null)
                await mapping.AssertEchoAsync();
            else
                await Limits.UntilAsync(async () => !await TryEchoAsync(mapping), "a client to be reset");

            if (isStray)
                await Limits.UntilAsync(() => agent.Log.Split("done").Length > i, "the agent to send more");

            if (i == Math.Min(RelayProgram.LoopCount, 6))
                descriptors = new Descriptors(relay.Process);
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
        Assert.Equal(reason is null ? 0L : 6L, (await relay.CountersAsync(mapping))["failed"]);
        Assert.Contains(reason ?? "", relay.Log, StringComparison.Ordinal);
        await descriptors!.AssertReleasedAsync();
    }

    [Fact]
    public async Task The_agent_takes_one_preamble_after_the_other_also_after_a_server_that_refuses()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var listener = Net.Listen(Net.Loopback(4));
        using var relay = await agent.ConnectAsync();
        var preamble = Keeping(((IPEndPoint)listener.LocalEndPoint!).Port);
        for (var i = 0; i < 3; i++)
        {
            // Also in pieces.
            await relay.SendAllAsync(preamble.AsMemory(0, 10 * i));
            await relay.SendAllAsync(preamble.AsMemory(10 * i));
            Assert.Equal(Keep, await relay.ReceiveExactlyAsync(Keep.Length));
            using var server = await listener.AcceptConnectionAsync();

            // Nobody has taken the socket, and the agent has none left.
            await server.AssertEndAsync();
            await relay.SendAllAsync(Keeping(Net.FreePort()));
            var error = await ReadMapAsync(relay);
            Assert.Equal(("ConnectionRefused", true), (error["name"], error["keep"]));
        }

        await relay.SendAllAsync("no preamble"u8.ToArray());
        Assert.Equal("InvalidParams", (await relay.ReadAnswerAsync())!.Name);
        await relay.AssertEndAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_the_wish_or_with_few_descriptors_the_answer_is_nil_and_the_end(bool asks)
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartThroughAsync(asks ? ["prlimit", "--nofile=256:256"] : [], link);
        using var listener = Net.Listen(Net.Loopback(4));
        using var relay = await agent.ConnectAsync();
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        await relay.SendAllAsync(asks ? Keeping(port) : Preamble.Offering("pass", port));
        Assert.Equal(new byte[] { 0xc0 }, await relay.ReceiveToEndAsync());
    }

    [Fact]
    public async Task The_agent_keeps_no_more_than_it_has_room_for_and_ends_with_all_of_them()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var listener = Net.Listen(Net.Loopback(4));
        var relays = new List<Socket>();
        for (var i = 0; i < MaxAtAgent + 10; i++)
        {
            relays.Add(await agent.ConnectAsync());
            await relays[i].SendAllAsync(Keeping(((IPEndPoint)listener.LocalEndPoint!).Port));
            Assert.Equal(i < MaxAtAgent ? Keep : [0xc0], await relays[i].ReceiveExactlyAsync(i < MaxAtAgent ? Keep.Length : 1));
            (await listener.AcceptConnectionAsync()).Dispose();
        }

        // One that ends makes room for another.
        relays[0].Shutdown(SocketShutdown.Send);
        await relays[0].AssertEndAsync();
        await Limits.UntilAsync(() => Connections(link).Count < MaxAtAgent, "the agent to close it");
        using var another = await agent.ConnectAsync();
        await another.SendAllAsync(Keeping(((IPEndPoint)listener.LocalEndPoint!).Port));
        Assert.Equal(Keep, await another.ReceiveExactlyAsync(Keep.Length));

        Libc.Kill(agent.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await agent.ExitAsync());
        relays.ForEach(static relay => relay.Dispose());
    }

    [Fact]
    public async Task One_that_is_idle_has_no_deadline_at_the_agent()
    {
        using var link = GuestLink.Create("unix");
        using var listener = Net.Listen(Net.Loopback(4));
        using var relay = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var loop = new LoopFixture();
        var preamble = Keeping(((IPEndPoint)listener.LocalEndPoint!).Port);
        loop.Do(() =>
        {
            // The preamble is there when the agent accepts: what has a deadline is done in one turn.
            new GuestAgent(loop.Loop, new RelayLog(NullLogger.Instance), allowAnyCid: false) { SetUpTimeout = 500 }.Listen(IoEndpoint.Unix(link.Path));
            relay.Connect(new UnixDomainSocketEndPoint(link.Path));
            relay.Send(preamble);
        });
        Assert.Equal(Keep, await relay.ReceiveExactlyAsync(Keep.Length));
        await Limits.PauseAsync(1000);
        await relay.SendAllAsync(preamble);
        Assert.Equal(Keep, await relay.ReceiveExactlyAsync(Keep.Length));
    }

    [Fact]
    public async Task One_that_is_idle_holds_up_no_drain_and_no_unmap()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens), "--drain-ms", "600000");
        var mapping = await relay.MapAsync(server.Port);
        await mapping.AssertEchoAsync();
        var unmap = mapping.ToUnmap();
        unmap["drainMs"] = 600_000;
        var result = (MsgMap)Assert.Single(await relay.ResultsAsync("unmap", unmap))!;
        Assert.Equal(0L, result["reset"]);
        await (await relay.MapAsync(server.Port)).AssertEchoAsync();
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, relay.CloseInput);
        Assert.Equal(0, await relay.ExitAsync());
    }

    private static byte[] Keeping(int port) =>
        MsgEncoder.Encode(new MsgMap { ["v"] = 1, ["protocol"] = "tcp", ["family"] = 4, ["port"] = port, ["pass"] = true, ["keep"] = true });

    /// <summary>The agent's connections, by their inodes (proc_pid_net(5), unix): an accepted socket has its listener's path.</summary>
    private static HashSet<string> Connections(GuestLink link) =>
        [.. File.ReadLines("/proc/net/unix").Where(line => line.EndsWith(link.Path, StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields[5] == "03").Select(fields => fields[6])];

    private static async Task<MsgMap> ReadMapAsync(Socket socket)
    {
        var bytes = new List<byte>();
        object? value;
        do
        {
            bytes.AddRange(await socket.ReceiveExactlyAsync(1));
        }
        while (!MsgDecoder.TryDecode([.. bytes], out value, out _));
        return (MsgMap)value!;
    }

    private static async Task<bool> TryEchoAsync(Mapping mapping)
    {
        try
        {
            await mapping.AssertEchoAsync();
            return true;
        }
        catch (SocketException error) when (SocketExtensions.Resets.Contains(error.SocketErrorCode))
        {
            return false;
        }
    }

    private static Task<AgentUnderTest> StartAsync(GuestLink link, string what, int port)
    {
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        var script = Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", "keeping_agent.py");
        return AgentUnderTest.StartCommandAsync([Python, "-B", script, link.ListenText, what, $"{port}"]);
    }
}
