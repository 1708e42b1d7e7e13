using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class ListTests
{
    [Fact]
    public async Task Is_empty_at_first()
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Is_sorted_by_family_then_address_then_port()
    {
        await using var relay = RelayUnderTest.Serve();
        var port = Net.FreePort(count: 3);
        static MsgMap Item(int family, string address, int port) =>
            new() { ["family"] = family, ["address"] = address, ["hostPort"] = port, ["guestPort"] = 80 };
        await relay.MapAsync(
            Item(6, "::1", port + 1), Item(4, "127.0.0.3", port), Item(4, "127.0.0.1", port + 2), Item(6, "::1", port),
            Item(4, "127.0.0.1", port), Item(4, "127.0.0.2", port + 1), Item(4, "127.0.0.1", port + 1));
        (int, string, int)[] expected =
        [
            (4, "127.0.0.1", port), (4, "127.0.0.1", port + 1), (4, "127.0.0.1", port + 2), (4, "127.0.0.2", port + 1),
            (4, "127.0.0.3", port), (6, "::1", port), (6, "::1", port + 1),
        ];
        var listed = (await relay.ResultsAsync("list")).Select(Mapping.Parse);
        Assert.Equal(expected, listed.Select(mapping => (mapping.Family, mapping.Address, mapping.HostPort)));
    }

    [Fact]
    public async Task Has_every_counter_of_a_mapping()
    {
        await using var relay = RelayUnderTest.Serve();
        var counters = await relay.CountersAsync(await relay.MapAsync(80));
        Assert.Equal(
            Mapping.Keys.Concat(["accepted", "active", "failed", "bytesToGuest", "bytesToHost", "since", "lastError", "auto"]).Order(), counters.Keys.Order());
        AssertCounters(counters, accepted: 0, active: 0, failed: 0, toGuest: 0, toHost: 0);
    }

    [Fact]
    public async Task Counts_connections_and_bytes_each_way()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        await pair.Client.SendAllAsync(new byte[1000]);
        await pair.Guest.ReceiveExactlyAsync(1000);
        await pair.Guest.SendAllAsync(new byte[300_000]);
        await pair.Client.ReceiveExactlyAsync(300_000);
        AssertCounters(await relay.CountersAsync(pair.Mapping), accepted: 1, active: 1, failed: 0, toGuest: 1000, toHost: 300_000);
        pair.Client.Shutdown(SocketShutdown.Send);
        pair.Guest.Shutdown(SocketShutdown.Send);
        await pair.Client.AssertEndAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(pair.Mapping))["active"] is 0L, "the connection to be counted as ended");
        AssertCounters(await relay.CountersAsync(pair.Mapping), accepted: 1, active: 0, failed: 0, toGuest: 1000, toHost: 300_000);
    }

    [Fact]
    public async Task Counts_connections_that_the_target_refused_as_failed()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(Net.FreePort());
        for (var i = 0; i < 3; i++)
            await mapping.AssertResetAsync();

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 3L, "three failures to be counted");
        AssertCounters(await relay.CountersAsync(mapping), accepted: 3, active: 0, failed: 3, toGuest: 0, toHost: 0);
    }

    [Fact]
    public async Task Reports_the_start_of_a_mapping_and_the_last_connection_error()
    {
        await using var relay = RelayUnderTest.Serve();
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var mapping = await relay.MapAsync(Net.FreePort());
        var mapped = await relay.CountersAsync(mapping);
        Assert.InRange(Assert.IsType<long>(mapped["since"]), before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Null(mapped["lastError"]);
        Assert.Equal(false, mapped["auto"]);
        await mapping.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["lastError"] is not null, "the failure to be reported");
        var error = Assert.IsType<MsgMap>((await relay.CountersAsync(mapping))["lastError"]);
        Assert.Equal("ConnectionRefused", error["name"]);
        Assert.Contains($"127.0.0.1:{mapping.GuestPort}", Assert.IsType<string>(error["message"]), StringComparison.Ordinal);
        Assert.InRange(Assert.IsType<long>(error["at"]), before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Equal(mapped["since"], (await relay.CountersAsync(mapping))["since"]);
    }

    private static void AssertCounters(MsgMap entry, long accepted, long active, long failed, long toGuest, long toHost) =>
        Assert.Equal(
            [accepted, active, failed, toGuest, toHost],
            ((string[])["accepted", "active", "failed", "bytesToGuest", "bytesToHost"]).Select(key => Assert.IsType<long>(entry[key])));
}
