using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class ConnectionsTests
{
    private static readonly string[] Keys = [.. Mapping.Identity, "guestPort", "client", "since", "state", "bytesToGuest", "bytesToHost"];

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task Reports_the_client_the_start_and_the_bytes_of_each_direction(int family)
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Contains("connections", Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["capabilities"]));
        Assert.Empty(await relay.ResultsAsync("connections"));
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        using var pair = await RelayedPair.OpenAsync(relay, family);
        await pair.Client.SendAllAsync(new byte[1000]);
        await pair.Guest.ReceiveExactlyAsync(1000);
        await pair.Guest.SendAllAsync(new byte[300_000]);
        await pair.Client.ReceiveExactlyAsync(300_000);
        var item = await SingleAsync(relay);
        Assert.Equal(Keys.Order(), item.Keys.Order());
        Assert.Equal($"{pair.Client.LocalEndPoint}", item["client"]);
        Assert.All(Mapping.Identity, key => Assert.Equal(pair.Mapping.ToUnmap()[key] is int number ? (long)number : pair.Mapping.ToUnmap()[key], item[key]));
        Assert.Equal((long)pair.Mapping.GuestPort, item["guestPort"]);
        Assert.InRange(Assert.IsType<long>(item["since"]), before - 50, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 50);
        Assert.Equal("open", item["state"]);
        AssertBytes(item, 1000, 300_000);
    }

    [Fact]
    public async Task Reports_which_side_has_ended_its_sending_and_counts_no_end_as_a_byte()
    {
        await using var relay = RelayUnderTest.Serve();
        using var first = await RelayedPair.OpenAsync(relay);
        await first.Client.SendAllAsync(new byte[10]);
        first.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(10, (await first.Guest.ReceiveToEndAsync()).Length);
        await Limits.UntilAsync(async () => (await SingleAsync(relay))["state"] is "clientEnded", "the client's end to be reported");
        AssertBytes(await SingleAsync(relay), 10, 0);
        await first.Guest.SendAllAsync(new byte[20]);
        first.Guest.Dispose();
        Assert.Equal(20, (await first.Client.ReceiveToEndAsync()).Length);
        await Limits.UntilAsync(async () => (await relay.ResultsAsync("connections")).Length == 0, "the connection to be over");

        using var second = await RelayedPair.OpenAsync(relay);
        await second.Guest.SendAllAsync(new byte[30]);
        second.Guest.Shutdown(SocketShutdown.Send);
        Assert.Equal(30, (await second.Client.ReceiveToEndAsync()).Length);
        await Limits.UntilAsync(async () => (await SingleAsync(relay))["state"] is "serverEnded", "the server's end to be reported");
        AssertBytes(await SingleAsync(relay), 0, 30);
    }

    [Fact]
    public async Task A_connection_whose_agent_does_not_answer_is_connecting()
    {
        using var agent = Net.Listen(Net.Loopback(4));
        await using var relay = RelayUnderTest.Serve("--target", $"tcp:{agent.LocalEndPoint}");
        using var client = await (await relay.MapAsync(80)).ConnectAsync();
        using var silent = await agent.AcceptConnectionAsync();
        Assert.Equal("connecting", (await SingleAsync(relay))["state"]);
    }

    [Fact]
    public async Task A_flow_of_datagrams_is_listed_with_its_client()
    {
        await using var relay = RelayUnderTest.Serve();
        using var server = new UdpClient(Net.Loopback(4));
        var map = new MsgMap { ["protocol"] = "udp", ["guestPort"] = ((System.Net.IPEndPoint)server.Client.LocalEndPoint!).Port };
        var mapping = Assert.Single(await relay.MapAsync(map));
        using var client = new UdpClient(Net.Loopback(4));
        await client.SendAsync(new byte[3], mapping.EndPoint, TestContext.Current.CancellationToken);
        await server.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limits.HangTimeout, TestContext.Current.CancellationToken);
        var item = await SingleAsync(relay);
        Assert.Equal(("udp", "flow", $"{client.Client.LocalEndPoint}"), (item["protocol"], item["state"], item["client"]));
        Assert.Null(item["bytesToGuest"]);
    }

    [Fact]
    public async Task Lists_the_oldest_first_at_most_as_many_as_asked_of_the_mappings_asked_for()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var (one, two) = (await relay.MapAsync(guest.Port), await relay.MapAsync(guest.Port));
        List<Socket> clients = [];
        for (var i = 0; i < 40; i++)
        {
            // Times are reported with a resolution of 16 milliseconds, and of one time those of one loop are in order.
            await Limits.PauseAsync(i % 10 == 0 || RelayProgram.LoopCount > 1 ? 40 : 0);
            clients.Add(await (i / 10 % 2 == 0 ? one : two).ConnectAsync());
            await clients[^1].AssertEchoAsync();
        }

        var ports = clients.ConvertAll(client => $"{client.LocalEndPoint}");
        Assert.Equal(ports, await ClientsAsync());
        Assert.Equal(ports[..7], await ClientsAsync(new MsgMap { ["limit"] = 7 }));
        string[] ofTwo = [.. ports[10..20], .. ports[30..]];
        Assert.Equal(ofTwo, await ClientsAsync(two.ToUnmap()));
        Assert.Equal(ofTwo[..13], await ClientsAsync(new MsgMap { ["limit"] = 13 }, two.ToUnmap(), two.ToUnmap()));
        Assert.Equal(ports, await ClientsAsync(one.ToUnmap(), two.ToUnmap()));
        var fault = await relay.FailAsync("NotFound", "connections", one.ToUnmap(), (one with { Address = "127.0.0.9" }).ToUnmap());
        Assert.Equal(1, fault.Index);
        fault = await relay.FailAsync("NotFound", "connections", new MsgMap { ["limit"] = 13 }, (one with { Address = "127.0.0.9" }).ToUnmap());
        Assert.Equal(1, fault.Index);
        fault = await relay.FailAsync("InvalidParams", "connections", new MsgMap { ["limit"] = 13 }, new MsgMap { ["hostPort"] = -1 });
        Assert.Equal(1, fault.Index);

        await relay.ResultAsync("unmap", two.ToUnmap());
        Assert.Equal(ofTwo, await ClientsAsync(two.ToUnmap()));
        Assert.Equal(ports, await ClientsAsync());
        clients.ForEach(client => client.Dispose());

        async Task<IEnumerable<object?>> ClientsAsync(params object?[] parameters) =>
            (await relay.ResultsAsync("connections", parameters)).Select(item => Assert.IsType<MsgMap>(item)["client"]);
    }

    [Theory]
    [InlineData("limit", 0)]
    [InlineData("limit", 100_001)]
    [InlineData("limit", "many")]
    [InlineData("hostPort", null)]
    [InlineData("hostPort", 65536)]
    public async Task An_invalid_key_is_named(string key, object? value)
    {
        await using var relay = RelayUnderTest.Serve();
        var fault = await relay.FailAsync("InvalidParams", "connections", new MsgMap { [key] = value });
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Long answers are written in pieces, between which connections are served.</summary>
    [Fact]
    public async Task Long_answers_are_whole_and_in_order_during_drains_events_and_connections()
    {
        var (connections, rounds) = Platform.IsWine ? (100, 5) : (1_500, 20);
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var drained = await relay.MapAsync(guest.Port);
        var refused = await relay.MapAsync(Net.FreePort());
        await relay.MapAsync([.. Enumerable.Range(0, 500).Select(_ => new MsgMap { ["guestPort"] = 80 })]);
        await using var many = await ManyConnections.OpenAsync(relay, connections);
        using var old = await drained.ConnectAsync();
        await old.AssertEchoAsync();
        await relay.ResultAsync("subscribe");
        var drain = drained.ToUnmap();
        drain["drainMs"] = 60_000;
        var draining = await relay.RequestAsync("unmap", drain);
        List<uint> ids = [];
        for (var round = 0; round < rounds; round++)
        {
            foreach (var method in new[] { "connections", "list", "hello" })
                ids.Add(await relay.RequestAsync(method, method == "connections" ? [new MsgMap { ["limit"] = 100_000 }] : []));

            await many.Clients[round].AssertEchoAsync();
            await refused.AssertResetAsync();
            if (round == rounds / 2)
                old.Dispose();
        }

        foreach (var id in ids)
        {
            var response = await relay.ResponseAsync();
            if (response.Id == draining)
                response = await relay.ResponseAsync();

            Assert.Equal(id, response.Id);
            Assert.Null(response.Error);

            // With the old one, and with one that was refused and is about to go.
            if (response.Result is object?[] { Length: not 521 } items)
                Assert.InRange(items.Length, connections, connections + 2);
        }

        Assert.Equal(drained, Mapping.Parse(await relay.EventAsync("unmapped")));
        for (var round = 0; round < rounds; round++)
            Assert.Equal(refused, Mapping.Parse(await relay.EventAsync("connectionFailed")));
    }

    private static async Task<MsgMap> SingleAsync(RelayUnderTest relay) => Assert.IsType<MsgMap>(Assert.Single(await relay.ResultsAsync("connections")));

    /// <summary>Wine's SIO_TCP_INFO fails, or reports no bytes.</summary>
    private static void AssertBytes(MsgMap item, long toGuest, long toHost)
    {
        if (!Platform.IsWine)
            Assert.Equal((toGuest, toHost), (Assert.IsType<long>(item["bytesToGuest"]), Assert.IsType<long>(item["bytesToHost"])));
    }
}
