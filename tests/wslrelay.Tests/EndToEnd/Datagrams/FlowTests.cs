using System.Net;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Section 6: what is promised of a udp mapping's flows, over every hop.</summary>
public sealed class FlowTests
{
    public static TheoryData<string> Hops => DatagramPath.Hops;

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task A_server_sees_one_peer_for_each_client_and_answers_that_one(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port);
        using var first = new DatagramPeer();
        using var second = new DatagramPeer();
        first.Send([1], mapping.EndPoint);
        var (_, firstPeer) = await server.ReceiveAsync();
        second.Send([2], mapping.EndPoint);
        var (_, secondPeer) = await server.ReceiveAsync();
        first.Send([3], mapping.EndPoint);
        await server.AssertReceivesAsync([3], firstPeer);
        Assert.NotEqual(firstPeer, secondPeer);

        // The later one first, and more than was asked for.
        server.Send([4], secondPeer);
        server.Send([5], secondPeer);
        server.Send([6], firstPeer);
        await second.AssertReceivesAsync([4], mapping.EndPoint);
        await second.AssertReceivesAsync([5], mapping.EndPoint);
        await first.AssertReceivesAsync([6], mapping.EndPoint);
        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal((2L, 2L, 0L), (counters["accepted"], counters["active"], counters["failed"]));
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task Datagrams_of_every_size_pass_whole_in_both_families(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        foreach (var family in (int[])[4, 6])
        {
            using var server = new DatagramPeer(family);
            var echo = server.EchoAsync();
            var mapping = await path.MapAsync(server.Port, family);
            using var client = new DatagramPeer(family);
            foreach (var size in (int[])[0, 1, 2, 3, 1400, 1401, 9000, 65_000, 65_507, family == 4 ? 65_507 : 65_527, 0, 512])
                await client.AssertEchoAsync(mapping.EndPoint, Net.RandomBytes(size, size));

            var counters = await path.Relay.CountersAsync(mapping);
            Assert.Equal((12L, 12L, 0L), (counters["datagramsToGuest"], counters["datagramsToHost"], counters["dropped"]));
        }
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task The_order_within_a_flow_stays_and_nothing_is_merged(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port);
        using var clients = new Group<DatagramPeer>(Enumerable.Range(0, 5).Select(_ => new DatagramPeer()));
        var peers = new IPEndPoint[5];

        // Fewer than any socket's buffer holds, of sizes that repeat and sizes that do not.
        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                for (var client = 0; client < 5; client++)
                    clients[client].Send(Datagram(client, i), mapping.EndPoint);
            }

            var next = new int[5];
            for (var i = 0; i < 50; i++)
            {
                var (datagram, peer) = await server.ReceiveAsync();
                Assert.Equal(Datagram(datagram[0], next[datagram[0]]++), datagram);
                peers[datagram[0]] = peer;
            }

            for (var client = 0; client < 5; client++)
            {
                for (var i = 0; i < 10; i++)
                    server.Send(Datagram(client, i), peers[client]);
            }

            for (var client = 0; client < 5; client++)
            {
                for (var i = 0; i < 10; i++)
                    await clients[client].AssertReceivesAsync(Datagram(client, i), mapping.EndPoint);
            }
        }

        static byte[] Datagram(int client, int i) => [(byte)client, (byte)i, .. new byte[i % 4 == 3 ? i * 7 : 40]];
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task Counts_datagrams_and_bytes_each_way(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port);
        using var client = new DatagramPeer();
        client.Send(new byte[100], mapping.EndPoint);
        client.Send([], mapping.EndPoint);
        await server.ReceiveAsync();
        var (_, peer) = await server.ReceiveAsync();
        foreach (var size in (int[])[10, 20, 30])
        {
            server.Send(new byte[size], peer);
            await client.ReceiveAsync();
        }

        await path.UntilAsync(mapping, "bytesToGuest", 100);
        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal(
            [1, 1, 0, 100, 60, 2, 3, 0],
            ((string[])["accepted", "active", "failed", "bytesToGuest", "bytesToHost", "datagramsToGuest", "datagramsToHost", "dropped"])
                .Select(key => Assert.IsType<long>(counters[key])));
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task A_flow_ends_when_it_is_idle_and_not_before(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port, idleMs: 4000);
        using var client = new DatagramPeer();
        client.Send([1], mapping.EndPoint);
        var (_, peer) = await server.ReceiveAsync();

        // What only the server sends keeps it too; a busy machine adds seconds to a pause.
        for (var i = 0; i < 10; i++)
        {
            await Limits.PauseAsync(450);
            server.Send([2], peer);
            await client.AssertReceivesAsync([2], mapping.EndPoint);
        }

        Assert.Equal(1L, (await path.Relay.CountersAsync(mapping))["active"]);
        await path.UntilAsync(mapping, "active", 0);
        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal((1L, 0L), (counters["accepted"], counters["failed"]));

        client.Send([3], mapping.EndPoint);
        var (_, next) = await server.ReceiveAsync();
        Assert.NotEqual(peer, next);
        await path.UntilAsync(mapping, "accepted", 2);
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task A_server_that_is_not_there_counts_as_failed_and_may_come_back(string hop)
    {
        Platform.NotUnderWine("Wine tells no datagram socket of an ICMP error.");
        await using var path = await DatagramPath.OpenAsync(hop);
        var port = Net.FreePort();
        var mapping = await path.MapAsync(port);
        using var client = new DatagramPeer();
        client.Send([1], mapping.EndPoint);
        await path.UntilAsync(mapping, "failed", 1);
        await path.UntilAsync(mapping, "active", 0);
        var error = Assert.IsType<MsgMap>((await path.Relay.CountersAsync(mapping))["lastError"]);
        Assert.Equal("ConnectionRefused", error["name"]);

        using (var server = new DatagramPeer(port: port))
        {
            client.Send([2], mapping.EndPoint);
            var (datagram, peer) = await server.ReceiveAsync();
            Assert.Equal([2], datagram);
            server.Send([3], peer);
            await client.AssertReceivesAsync([3], mapping.EndPoint);
        }

        // Gone under a flow that was good.
        client.Send([4], mapping.EndPoint);
        await path.UntilAsync(mapping, "failed", 2);
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task A_server_is_found_on_either_family_and_loses_no_datagram_by_it(string hop)
    {
        Platform.NotUnderWine("Wine tells no datagram socket of an ICMP error.");
        await using var path = await DatagramPath.OpenAsync(hop);
        foreach (var (family, serverFamily) in ((int, int)[])[(4, 4), (4, 6), (6, 4)])
        {
            using var server = new DatagramPeer(serverFamily, Net.FreePort());
            var mapping = await MapAsync(server.Port, family);
            using var client = new DatagramPeer(family);
            foreach (var datagram in (byte[][])[[1], [], [2, 3]])
                client.Send(datagram, mapping.EndPoint);

            var (_, peer) = await server.ReceiveAsync();
            await server.AssertReceivesAsync([], peer);
            await server.AssertReceivesAsync([2, 3], peer);
            server.Send([4], peer);
            await client.AssertReceivesAsync([4], mapping.EndPoint);
            var counters = await path.Relay.CountersAsync(mapping);
            Assert.Equal((3L, 3L, 0L, 0L), (counters["datagramsToGuest"], counters["bytesToGuest"], counters["dropped"], counters["failed"]));
        }

        var nowhere = await MapAsync(Net.FreePort(), 4);
        using var other = new DatagramPeer();
        other.Send([1], nowhere.EndPoint);
        await path.UntilAsync(nowhere, "failed", 1);
        await path.UntilAsync(nowhere, "active", 0);

        async Task<Mapping> MapAsync(int port, int family)
        {
            var item = DatagramPath.Item(port, family);
            item["guestFamily"] = 0;
            return (await path.Relay.MapAsync(item))[0];
        }
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task A_client_that_is_gone_harms_no_other(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port);
        using var client = new DatagramPeer();
        using var gone = new DatagramPeer();
        gone.Send([1], mapping.EndPoint);
        var (_, peerOfGone) = await server.ReceiveAsync();
        gone.Dispose();
        for (var i = 0; i < 100; i++)
        {
            server.Send([2], peerOfGone);
            client.Send([3], mapping.EndPoint);
            var (_, peer) = await server.ReceiveAsync();
            server.Send([4], peer);
            await client.AssertReceivesAsync([4], mapping.EndPoint);
        }

        Assert.Equal(0L, (await path.Relay.CountersAsync(mapping))["failed"]);
    }

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task Unmap_ends_the_flows_and_frees_the_port_at_once(string hop)
    {
        await using var path = await DatagramPath.OpenAsync(hop);
        using var server = new DatagramPeer();
        foreach (var drain in (int?[])[null, 3_600_000])
        {
            var mapping = await path.MapAsync(server.Port, hostPort: Net.FreePort());
            using var clients = new Group<DatagramPeer>(Enumerable.Range(0, 3).Select(_ => new DatagramPeer()));
            foreach (var client in clients)
            {
                client.Send([1], mapping.EndPoint);
                await server.ReceiveAsync();
            }

            var item = mapping.ToUnmap();
            if (drain is not null)
                item["drainMs"] = drain;

            var result = Assert.IsType<MsgMap>(Assert.Single(await path.Relay.ResultsAsync("unmap", item)));
            Assert.Equal((0L, 3L), (result["active"], result["reset"]));
            using var next = new DatagramPeer(port: mapping.HostPort);
            clients[0].Send([2], mapping.EndPoint);
            await next.AssertReceivesAsync([2], clients[0].EndPoint);
        }
    }
}
