using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.Tests.Io;
using Wslrelay.Tests.Io.Linux;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Over a Unix socket the agent gives spare sockets, by which the relay connects to the next servers itself (protocol, section 3, "spare").</summary>
public sealed class SpareSocketTests
{
    private const string Python = "/usr/bin/python3";
    private const int ClientCount = 60;
    private const int FirstSpares = 4;
    private const int MaxSpares = 64;

    [Fact]
    public async Task Few_of_many_clients_cost_the_agent_anything_unless_it_is_to_know_each()
    {
        using var agent = new CountingAgent();
        await using var server4 = GuestServer.Echo();
        await using var server6 = GuestServer.Echo(family: 6);
        await using var named = GuestServer.Content("named"u8.ToArray());
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mappings = await relay.MapAsync(
            new MsgMap { ["guestPort"] = server4.Port },
            new MsgMap { ["guestPort"] = server4.Port, ["guestFamily"] = 0 },
            new MsgMap { ["guestPort"] = server6.Port, ["guestFamily"] = 6 },
            new MsgMap { ["guestPort"] = server6.Port, ["guestFamily"] = 0 },
            new MsgMap { ["guestPort"] = named.Port, ["proxy"] = 2 });
        foreach (var mapping in mappings[..3])
            await agent.AssertFewAsync(mapping.AssertEchoAsync);

        // No spare socket leads to its ::1.
        await agent.AssertEachAsync(mappings[3].AssertEchoAsync);
        await agent.AssertEachAsync(async () =>
        {
            using var client = await mappings[4].ConnectAsync();
            Assert.Equal("named"u8.ToArray(), await client.ReceiveToEndAsync());
        });
        foreach (var mapping in mappings)
            Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task The_servers_are_those_of_the_agents_network()
    {
        using var agent = new CountingAgent(inOwnNetwork: true);
        var port = Net.FreePort();
        await using var here = GuestServer.Content("here"u8.ToArray(), port: port);
        await using var there = agent.Loop.Ask(() => GuestServer.Content("there"u8.ToArray(), port: port));
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(port);
        await agent.AssertFewAsync(async () =>
        {
            using var client = await mapping.ConnectAsync();
            Assert.Equal("there"u8.ToArray(), await client.ReceiveToEndAsync());
        });
    }

    [Fact]
    public async Task The_servers_of_a_simulated_guest_are_reached_by_its_agent_only()
    {
        var guest = IPAddress.Parse("127.0.0.2");
        using var agent = new CountingAgent(guest);
        await using var outside = GuestServer.Content("outside"u8.ToArray());
        using var inside = Net.Listen(new IPEndPoint(guest, outside.Port));
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(outside.Port);
        await agent.AssertEachAsync(async () =>
        {
            using var client = await mapping.ConnectAsync();
            using var server = await inside.AcceptConnectionAsync();
            await server.SendAllAsync("inside"u8.ToArray());
            Assert.Equal("inside"u8.ToArray(), await client.ReceiveExactlyAsync(6));
        });
    }

    [Fact]
    public async Task A_failure_is_the_agents()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await using var server = GuestServer.Echo();
        var closed = Net.FreePort();
        var mappings = await chain.Relay.MapAsync(new MsgMap { ["guestPort"] = server.Port }, new MsgMap { ["guestPort"] = closed });
        var message = $"unix:{chain.Link.Path}: 127.0.0.1:{closed} in the guest: nothing listens there; start it, or correct the address";
        for (var i = 1L; i <= 10; i++)
        {
            await mappings[0].AssertEchoAsync();
            await mappings[1].AssertResetAsync();
            await Limits.UntilAsync(async () => i.Equals((await chain.Relay.CountersAsync(mappings[1]))["failed"]), "the failure to be counted");
            var error = (MsgMap)(await chain.Relay.CountersAsync(mappings[1]))["lastError"]!;
            Assert.Equal(("ConnectionRefused", message), (error["name"], error["message"]));
        }
    }

    [Fact]
    public async Task A_server_whose_backlog_is_full_is_waited_for()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await using var other = GuestServer.Echo();
        using var listener = Net.Listen(Net.Loopback(4), backlog: 0);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        var mappings = await chain.Relay.MapAsync(new MsgMap { ["guestPort"] = other.Port }, new MsgMap { ["guestPort"] = port });
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        await mappings[0].AssertEchoAsync();
        using var client = await mappings[1].ConnectAsync();
        await Limits.PauseAsync();
        (await listener.AcceptConnectionAsync()).Dispose();
        using var server = await listener.AcceptConnectionAsync();
        await server.SendAllAsync("late"u8.ToArray());
        Assert.Equal("late"u8.ToArray(), await client.ReceiveExactlyAsync(4));
    }

    [Theory]
    [InlineData("server", 0)]
    [InlineData("server;unconnected6", 0)]
    [InlineData("server;unconnected", 1)]
    [InlineData("server;hundred", MaxSpares / 2)]
    public async Task Whatever_comes_behind_the_servers_socket_loses_no_client(string what, int takenCount)
    {
        using var link = GuestLink.Create("unix");
        await using var server = GuestServer.Echo();
        await using var agent = await StartPassingAsync(link, what, server.Port);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var mapping = await relay.MapAsync(server.Port);
        var before = Attachable(relay);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < ClientCount; i++)
            await mapping.AssertEchoAsync();

        if (takenCount == 0)
            await Limits.UntilAsync(() => Asked() == ClientCount, "the agent to be asked for each");

        Assert.InRange(Asked(), 1, takenCount == 0 ? ClientCount : Few(takenCount, clock));
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
        await Limits.UntilAsync(() => Attachable(relay) <= before + (4 * takenCount * RelayProgram.LoopCount), "all to be closed that is not for the next clients");

        int Asked() => agent.Log.Split("asked").Length - 1;
    }

    [Fact]
    public async Task An_agent_or_a_server_that_is_started_again_loses_no_client()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        var port = Net.FreePort();
        Mapping mapping;
        int before;
        await using (GuestServer.Content("first"u8.ToArray(), port: port))
        {
            mapping = await chain.Relay.MapAsync(port);
            before = Attachable(chain.Relay);
            await AssertReceivesAsync("first");
            chain.Agent.Process.Kill();
            await chain.Agent.ExitAsync();
        }

        await using var second = GuestServer.Content("second"u8.ToArray(), port: port);
        await using var agent = await AgentUnderTest.StartAsync(chain.Link);
        for (var i = 0; i < 20; i++)
            await AssertReceivesAsync("second");

        Assert.Equal(0L, (await chain.Relay.CountersAsync(mapping))["failed"]);

        // Without the agent nothing is reached, at once.
        agent.Process.Kill();
        await agent.ExitAsync();
        for (var i = 0; i < 10; i++)
            await mapping.AssertResetAsync();

        await Limits.UntilAsync(() => Attachable(chain.Relay) <= before, "the spare sockets to be closed");

        async Task AssertReceivesAsync(string expected)
        {
            using var client = await mapping.ConnectAsync();
            Assert.Equal(expected, Encoding.ASCII.GetString(await client.ReceiveToEndAsync()));
        }
    }

    [Fact]
    public async Task A_relay_with_few_descriptors_asks_for_none()
    {
        using var link = GuestLink.Create("unix");
        await using var server = GuestServer.Echo();
        await using var agent = await StartPassingAsync(link, "server", server.Port);
        await using var relay = RelayUnderTest.ServeThrough(["prlimit", "--nofile=256:256"], "--target", link.Target(agent.Listens));
        await (await relay.MapAsync(server.Port)).AssertEchoAsync();
        await Limits.UntilAsync(() => agent.Log.Contains("asked 0", StringComparison.Ordinal), "the preamble to be reported");
    }

    [Theory]
    [InlineData(4, 4, 5, 5)]
    [InlineData(6, 6, 5, 5)]
    [InlineData(0, 4, 5, 5)]
    [InlineData(0, 6, 5, 0)]
    [InlineData(4, 4, 1000, MaxSpares)]
    [InlineData(4, 4, 0, 0)]
    [InlineData(4, 4, 5, 0, "prlimit", "--nofile=256:256")]
    public async Task The_agent_gives_what_was_asked_for_and_has(int family, int serverFamily, int asked, int given, params string[] wrapper)
    {
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartThroughAsync(wrapper, link);
        await using var server = GuestServer.Echo(serverFamily);
        var run = await ProgramRun.OfAsync([Python, "-B", Script("asking_relay.py"), agent.Listens, $"{family}", $"{server.Port}", $"{asked}"]);
        var kind = serverFamily == 6 ? "AF_INET6" : "AF_INET";
        string[] expected = ["c0", $"{kind} {server.Port} False", .. Enumerable.Repeat($"{kind} 0 False", given), ""];
        Assert.Equal((0, string.Join('\n', expected)), (run.ExitCode, run.Output));
    }

    // How often the agent is asked at the most, if so many are taken before a loop asks again; each second it may find that they were closed for want of use.
    private static int Few(int takenCount, Stopwatch clock) =>
        (ClientCount / (1 + takenCount)) + (RelayProgram.LoopCount * (2 + (int)clock.Elapsed.TotalSeconds));

    // Sockets, and files without a name.
    private static int Attachable(RelayUnderTest relay) => Directory.GetFiles($"/proc/{relay.Process.Id}/fd").Select(static file => new FileInfo(file).LinkTarget ?? "")
        .Count(static target => target.StartsWith("socket:", StringComparison.Ordinal) || target.EndsWith(" (deleted)", StringComparison.Ordinal));

    private static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", name);

    private static Task<AgentUnderTest> StartPassingAsync(GuestLink link, string what, int port)
    {
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        return AgentUnderTest.StartCommandAsync([Python, "-B", Script("passing_agent.py"), link.ListenText, what, $"{port}"]);
    }

    /// <summary>The real agent, in this process, which can tell how many connections it has accepted.</summary>
    private sealed class CountingAgent : IDisposable
    {
        private readonly GuestLink _link = GuestLink.Create("unix");

        public CountingAgent(IPAddress? loopback = null, bool inOwnNetwork = false)
        {
            if (inOwnNetwork && !Loop.Ask(() => ThreadNetwork.TrySeparate()))
                Assert.Skip("this user may not create a network namespace");

            Loop.Do(() => new GuestAgent(Loop.Loop, new RelayLog(NullLogger.Instance), allowAnyCid: false, loopback).Listen(IoEndpoint.Unix(_link.Path)));
        }

        public LoopFixture Loop { get; } = new();

        public string Target => _link.ListenText;

        public Task AssertEachAsync(Func<Task> client) => AssertCountAsync(client, _ => ClientCount, ClientCount);

        public Task AssertFewAsync(Func<Task> client) => AssertCountAsync(client, static clock => Few(FirstSpares / 2, clock));

        public void Dispose()
        {
            Loop.Dispose();
            _link.Dispose();
        }

        private async Task AssertCountAsync(Func<Task> client, Func<Stopwatch, int> most, int least = 0)
        {
            var before = Loop.Ask(() => Loop.Loop.BegunCount);
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < ClientCount; i++)
                await client();

            Assert.InRange(Loop.Ask(() => Loop.Loop.BegunCount) - before, least, most(clock));
        }
    }
}
