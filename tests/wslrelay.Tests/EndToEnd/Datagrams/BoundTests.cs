using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Section 6: however many datagrams and clients there are, what they take has bounds, and is given back.</summary>
[Collection(Alone.Name)]
public sealed class BoundTests
{
    private const int MaxFlows = 4096;

    // The tables that have grown, and what the runtime compiled meanwhile.
    private const long Kept = 5 << 20;

    [Theory]
    [InlineData("direct")]
    [InlineData("unix")]
    public async Task The_flow_that_is_idle_for_longest_makes_room(string hop)
    {
        Platform.OnLinuxOnly("Every address of 127.0.0.0/8 is this machine's.");
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();

        // On a busy machine the crowd takes longer than the default.
        var mapping = await path.MapAsync(server.Port, idleMs: 3_600_000);
        using var first = new DatagramPeer();
        using var second = new DatagramPeer();
        await first.AssertEchoAsync(mapping.EndPoint);
        await second.AssertEchoAsync(mapping.EndPoint);
        var descriptors = new Descriptors(path.Relay.Process);

        // The first is in use again and again, the second is not.
        const int Crowd = MaxFlows + 500;
        for (var i = 0; i < Crowd; i++)
        {
            using var client = new DatagramPeer(new IPEndPoint(new IPAddress([127, 1, (byte)(i >> 8), (byte)i]), 0));
            await client.AssertEchoAsync(mapping.EndPoint);
            if (i % 500 == 0)
                await first.AssertEchoAsync(mapping.EndPoint);
        }

        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal((Crowd + 2L, (long)MaxFlows, 0L), (counters["accepted"], counters["active"], counters["failed"]));
        await first.AssertEchoAsync(mapping.EndPoint);
        Assert.Equal(Crowd + 2L, (await path.Relay.CountersAsync(mapping))["accepted"]);
        await second.AssertEchoAsync(mapping.EndPoint);
        Assert.Equal(Crowd + 3L, (await path.Relay.CountersAsync(mapping))["accepted"]);

        var unmapped = Assert.IsType<MsgMap>(Assert.Single(await path.Relay.ResultsAsync("unmap", mapping.ToUnmap())));
        Assert.Equal((long)MaxFlows, unmapped["reset"]);
        await descriptors.AssertBackAsync();
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task What_ten_thousand_clients_took_is_given_back(string hop)
    {
        Platform.OnLinuxOnly("Every address of 127.0.0.0/8 is this machine's.");
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var mapping = await path.MapAsync(server.Port, idleMs: 1000);

        // One for each loop, which keeps what it receives into.
        for (var i = 0; i < RelayProgram.LoopCount; i++)
        {
            using var client = new DatagramPeer();
            await client.AssertEchoAsync(mapping.EndPoint);
        }

        await path.UntilAsync(mapping, "active", 0);
        Process[] processes = path.Agent is null ? [path.Relay.Process] : [path.Relay.Process, path.Agent.Process];
        var before = processes.Select(ProcessFigures.Memory).ToArray();
        for (var i = 0; i < 10_000; i++)
        {
            using var other = new DatagramPeer(new IPEndPoint(new IPAddress([127, 2, (byte)(i >> 8), (byte)i]), 0));
            other.Send(new byte[100], mapping.EndPoint);
        }

        // Most end before they are set up.
        await path.UntilAsync(mapping, "active", 0);
        Assert.Equal(0L, (await path.Relay.CountersAsync(mapping))["failed"]);
        var grown = new long[processes.Length];
        try
        {
            await Limits.UntilAsync(
                () =>
                {
                    grown = [.. processes.Zip(before, (process, memory) => ProcessFigures.Memory(process) - memory)];
                    return grown.All(bytes => bytes < Kept);
                },
                "the memory to be given back");
        }
        finally
        {
            TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", grown));
        }
    }

    [Theory]
    [InlineData("direct", 400, 50)]
    [InlineData("tcp", 400, 50)]
    [InlineData("direct", 256, 20)]
    [InlineData("tcp", 256, 20)]
    public async Task Of_the_last_handles_flows_leave_enough_for_connections(string hop, int handles, int connectionCount)
    {
        Platform.OnLinuxOnly("The limit is set by prlimit(1).");
        await using var agent = hop == "direct" ? null : await AgentUnderTest.StartAsync(GuestLink.Create(hop));
        await using var relay = RelayUnderTest.ServeThrough(["prlimit", $"--nofile={handles}:{handles}"], agent is null ? [] : ["--target", agent.Listens]);
        await using var guest = GuestServer.Echo();
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var connections = await relay.MapAsync(guest.Port);
        var datagrams = (await relay.MapAsync(DatagramPath.Item(server.Port)))[0];
        using var clients = new Group<DatagramPeer>(Enumerable.Range(0, 500).Select(_ => new DatagramPeer()));
        foreach (var client in clients)
            client.Send([1], datagrams.EndPoint);

        await Limits.UntilAsync(
            async () => await relay.CountersAsync(datagrams) is var counters && counters["accepted"] is 500L && counters["active"] is > 0L and < 400L && counters["datagramsToHost"] is > 0L, "500 flows to be tried");
        using var open = new Group<Socket>([]);
        for (var i = 0; i < connectionCount; i++)
        {
            open.Add(await connections.ConnectAsync());
            await open[i].AssertEchoAsync();
        }

        var lastError = Assert.IsType<MsgMap>((await relay.CountersAsync(datagrams))["lastError"]);
        Assert.Equal("TooManyOpenFiles", lastError["name"]);
        Assert.InRange(relay.Log.Split('\n').Length, 0, 100);
        await Limits.UntilIdleAsync(relay.Process);
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_server_that_reads_nothing_holds_up_no_other(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var deaf = new DatagramPeer();
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var flooded = await path.MapAsync(deaf.Port);
        var mapping = await path.MapAsync(server.Port);
        using var flooder = new DatagramPeer();
        using var client = new DatagramPeer();
        for (var i = 0; i < 20_000; i++)
        {
            flooder.Send(new byte[1000], flooded.EndPoint);
            if (i % 500 == 0)
                await client.AssertEchoAsync(mapping.EndPoint);
        }

        Assert.Equal(0L, (await path.Relay.CountersAsync(mapping))["dropped"]);
        await Limits.UntilIdleAsync(path.Relay.Process);
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_server_that_is_killed_amid_its_traffic_ends_its_own_flows_and_its_successor_is_found(string hop)
    {
        Platform.NotUnderWine("Wine tells no datagram socket of an ICMP error.");
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var mapping = await path.MapAsync(server.Port);
        using var client = new DatagramPeer();
        await client.AssertEchoAsync(mapping.EndPoint);
        using var load = await DatagramLoad.StartAsync(path.Relay);
        load.KillServer();
        await path.UntilAsync(load.Mapping, "active", 0);
        Assert.InRange(Assert.IsType<long>((await path.Relay.CountersAsync(load.Mapping))["failed"]), 1, long.MaxValue);
        await client.AssertEchoAsync(mapping.EndPoint);
        var own = await path.Relay.CountersAsync(mapping);
        Assert.Equal((1L, 0L), (own["accepted"], own["failed"]));
        using var successor = new DatagramPeer(port: load.Mapping.GuestPort);
        var echoOfSuccessor = successor.EchoAsync();
        await client.AssertEchoAsync(load.Mapping.EndPoint);
    }

    [Fact]
    public async Task An_agent_that_takes_nothing_costs_what_its_buffers_hold()
    {
        using var agent = new FakeAgent("tcp");
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = (await relay.MapAsync(DatagramPath.Item(80)))[0];
        using var client = new DatagramPeer();
        client.Send([1], mapping.EndPoint);
        var (connection, _) = await agent.AcceptPreambleAsync();
        connection.Send([0xc0]);
        var sent = 1L;
        await Limits.UntilAsync(
            async () =>
            {
                for (var i = 0; i < 100; i++, sent++)
                    client.Send(new byte[30_000], mapping.EndPoint);

                return await relay.CountersAsync(mapping) is var counters && counters["dropped"] is > 1000L;
            },
            "datagrams to be dropped");

        // What was taken comes whole and in order; the rest is counted, but for what Windows drops before the relay receives it.
        var (taken, dropped) = (0L, 0L);
        var reader = Task.Run(async () =>
        {
            while (true)
            {
                var size = BinaryPrimitives.ReadUInt16BigEndian(await connection.ReceiveExactlyAsync(2));
                Assert.Equal(taken == 0 ? 1 : 30_000, size);
                await connection.ReceiveExactlyAsync(size);
                taken++;
            }
        }, TestContext.Current.CancellationToken);
        await Limits.UntilAsync(
            async () =>
            {
                var counters = await relay.CountersAsync(mapping);
                dropped = (long)counters["dropped"]!;
                return reader.IsFaulted || (counters["datagramsToGuest"] is long whole && (whole + dropped == sent || (OperatingSystem.IsWindows() && whole + dropped < sent)) && Interlocked.Read(ref taken) == whole);
            },
            "every datagram to be counted");
        Assert.False(reader.IsFaulted, reader.Exception?.ToString());
        connection.Dispose();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the flow to end");
    }
}
