using System.Net;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Section 6 and the udp keys of section 1: what is promised of udp mappings, whatever lies behind them.</summary>
public sealed class DatagramMappingTests
{
    [Theory]
    [InlineData(4, "0.0.0.0", "127.0.0.1", "127.0.0.2")]
    [InlineData(6, "::", "::1", "::1")]
    public async Task On_a_wildcard_answers_come_from_the_address_that_the_client_had_sent_to(int family, string wildcard, string first, string second)
    {
        if (first != second)
            Platform.NotUnderWine("Wine's WSASendMsg sends from any address.");

        await using var path = await DatagramPath.OpenAsync("direct", "--allow-remote");
        using var server = new DatagramPeer(family);
        var echo = server.EchoAsync();
        var mapping = await path.MapAsync(server.Port, family, wildcard);
        Assert.Equal(wildcard, mapping.Address);
        using var client = new DatagramPeer(family);
        using var other = new DatagramPeer(family);
        await client.AssertEchoAsync(new IPEndPoint(IPAddress.Parse(first), mapping.HostPort));
        await other.AssertEchoAsync(new IPEndPoint(IPAddress.Parse(second), mapping.HostPort));
        await client.AssertEchoAsync(new IPEndPoint(IPAddress.Parse(first), mapping.HostPort));
        await client.AssertEchoAsync(new IPEndPoint(IPAddress.Parse(second), mapping.HostPort));
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("tcp")]
    public async Task On_a_wildcard_an_answer_comes_from_where_its_question_went_though_the_client_has_asked_elsewhere_since(string hop)
    {
        Platform.NotUnderWine("Wine's WSASendMsg sends from any address.");
        await using var path = await DatagramPath.OpenAsync(hop, "--allow-remote");
        using var server = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port, address: "0.0.0.0");
        using var client = new DatagramPeer();
        IPEndPoint[] sides = [.. ((string[])["127.0.0.1", "127.0.0.2"]).Select(address => new IPEndPoint(IPAddress.Parse(address), mapping.HostPort))];
        List<IPEndPoint> peers = [];
        foreach (var side in sides)
        {
            client.Send([1], side);
            peers.Add((await server.ReceiveAsync()).From);
        }

        server.Send([2], peers[0]);
        await client.AssertReceivesAsync([2], sides[0]);
        server.Send([3], peers[1]);
        await client.AssertReceivesAsync([3], sides[1]);
        client.Send([4], sides[0]);
        await server.AssertReceivesAsync([4], peers[0]);
    }

    [Fact]
    public async Task Tcp_and_udp_of_one_number_are_two_mappings()
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        await using var tcpServer = GuestServer.Echo();
        using var udpServer = new DatagramPeer();
        var echo = udpServer.EchoAsync();
        var tcp = await path.Relay.MapAsync(tcpServer.Port, Net.FreePort());
        var udp = await path.MapAsync(udpServer.Port, hostPort: tcp.HostPort);
        Assert.Equal($"127.0.0.1:{tcp.HostPort}/udp", udp.Name);
        await tcp.AssertEchoAsync();
        using var client = new DatagramPeer();
        await client.AssertEchoAsync(udp.EndPoint);
        Assert.Equal(["tcp", "udp"], (await path.Relay.ResultsAsync("list")).Select(entry => Mapping.Parse(entry).Protocol));

        await path.Relay.ResultAsync("unmap", tcp.ToUnmap());
        await client.AssertEchoAsync(udp.EndPoint);
        await path.Relay.FailAsync("NotFound", "unmap", tcp.ToUnmap());
        await path.Relay.ResultAsync("unmap", udp.ToUnmap());
    }

    [Fact]
    public async Task A_mapping_is_answered_with_every_key()
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        var results = await path.Relay.ResultsAsync("map", DatagramPath.Item(80), DatagramPath.Item(81, 6, idleMs: 5000));
        Assert.Equal([60_000L, 5000L], results.Select(result => Assert.IsType<MsgMap>(result)["idleMs"]));
        foreach (var entry in await path.Relay.ResultsAsync("list"))
        {
            Assert.Equal(
                Mapping.Keys.Except(["proxy"]).Concat(["idleMs", "accepted", "active", "failed", "bytesToGuest", "bytesToHost", "datagramsToGuest", "datagramsToHost", "dropped", "since", "lastError", "auto"]).Order(),
                Assert.IsType<MsgMap>(entry).Keys.Order());
        }
    }

    [Theory]
    [InlineData(999)]
    [InlineData(86_400_001)]
    [InlineData("60000")]
    public async Task An_idle_time_out_of_range_is_refused(object idle)
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        var item = DatagramPath.Item(80);
        item["idleMs"] = idle;
        var fault = await path.Relay.FailAsync("InvalidParams", "map", item);
        Assert.Contains("idleMs", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_another_socket_has_is_in_use()
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        using var foreign = new DatagramPeer(port: Net.FreePort());
        var fault = await path.Relay.FailAsync("AddressInUse", "map", DatagramPath.Item(80, hostPort: foreign.Port));
        Assert.Contains($"127.0.0.1:{foreign.Port}/udp", fault.Message, StringComparison.Ordinal);
        var mapping = await path.MapAsync(80);
        await path.Relay.FailAsync("AddressInUse", "map", DatagramPath.Item(80, hostPort: mapping.HostPort));
        await path.Relay.FailAsync("AddressNotAllowed", "map", DatagramPath.Item(80, address: "0.0.0.0"));
    }

    [Fact]
    public async Task A_mapping_to_a_port_of_the_relay_itself_does_not_go_round()
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        var first = await path.MapAsync(1);
        var second = await path.MapAsync(first.HostPort);
        using var client = new DatagramPeer();
        client.Send([1], second.EndPoint);
        await path.UntilAsync(second, "failed", 1);
        Assert.Equal(0L, (await path.Relay.CountersAsync(first))["accepted"]);
    }

    [Fact]
    public async Task Of_more_than_4096_flows_the_one_idle_for_longest_makes_room()
    {
        Platform.OnLinuxOnly("Wine's server has too few descriptors; the count is not the system's work.");
        const int Flows = 4096;
        await using var path = await DatagramPath.OpenAsync("direct");
        using var server = new DatagramPeer();
        server.Socket.ReceiveBufferSize = 1 << 20;
        var mapping = await path.MapAsync(server.Port);
        using var clients = new Group<DatagramPeer>(Enumerable.Range(0, Flows + 1).Select(_ => new DatagramPeer()));
        var peers = new List<IPEndPoint>();
        foreach (var client in clients)
        {
            client.Send([1], mapping.EndPoint);
            peers.Add((await server.ReceiveAsync()).From);

            // The first stays in use: it is the second that is idle for longest.
            if (peers.Count == Flows)
            {
                clients[0].Send([1], mapping.EndPoint);
                await server.AssertReceivesAsync([1], peers[0]);
            }
        }

        var counters = await path.Relay.CountersAsync(mapping);
        Assert.Equal((Flows + 1L, (long)Flows, 0L), (counters["accepted"], counters["active"], counters["failed"]));
        clients[0].Send([2], mapping.EndPoint);
        await server.AssertReceivesAsync([2], peers[0]);
        clients[2].Send([3], mapping.EndPoint);
        await server.AssertReceivesAsync([3], peers[2]);
        clients[1].Send([4], mapping.EndPoint);
        Assert.NotEqual(peers[1], (await server.ReceiveAsync()).From);

        var result = Assert.IsType<MsgMap>(Assert.Single(await path.Relay.ResultsAsync("unmap", mapping.ToUnmap())));
        Assert.Equal((0L, (long)Flows), (result["active"], result["reset"]));
    }

    [Fact]
    public async Task A_server_that_does_not_read_costs_its_own_datagrams_only()
    {
        await using var path = await DatagramPath.OpenAsync("direct");
        using var deaf = new DatagramPeer();
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var flooded = await path.MapAsync(deaf.Port);
        var mapping = await path.MapAsync(server.Port);
        using var client = new DatagramPeer();
        using var flood = new DatagramPeer();
        for (var i = 0; i < 20_000; i++)
        {
            flood.Send(new byte[1000], flooded.EndPoint);
            if (i % 1000 == 0)
                await client.AssertEchoAsync(mapping.EndPoint);
        }

        await Limits.UntilIdleAsync(path.Relay.Process);
        var counters = await path.Relay.CountersAsync(flooded);
        Assert.InRange(Assert.IsType<long>(counters["datagramsToGuest"]) + Assert.IsType<long>(counters["dropped"]), OperatingSystem.IsLinux() ? 20_000 : 1, 20_000);
        await client.AssertEchoAsync(mapping.EndPoint);
    }
}
