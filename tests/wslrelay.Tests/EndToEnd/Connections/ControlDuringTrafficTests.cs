using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Requests of the control channel disturb no connection and no other mapping.</summary>
public sealed class ControlDuringTrafficTests
{
    [Fact]
    public async Task A_thousand_maps_and_unmaps_do_not_disturb_a_transfer()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        using var stop = new CancellationTokenSource();
        var stream = new ByteStream(1);
        var sending = stream.SendUntilAsync(pair.Client, stop.Token);
        var received = stream.ReceiveToEndAsync(pair.Guest);
        for (var round = 0; round < 1000; round++)
        {
            var mapping = await relay.MapAsync(80);
            await relay.ResultAsync("unmap", mapping.ToUnmap());
        }

        await stop.CancelAsync();
        var sent = await sending;
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await received);
        Assert.Equal(sent, (await relay.CountersAsync(pair.Mapping))["bytesToGuest"]);
        Assert.Single(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Other_mappings_accept_while_mappings_come_and_go()
    {
        var rounds = Platform.IsWine ? 10 : 100;
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var clients = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < rounds; i++)
                await mapping.AssertEchoAsync();
        })));
        while (!clients.IsCompleted)
        {
            var others = await relay.MapAsync([.. Enumerable.Range(0, 20).Select(_ => new MsgMap { ["guestPort"] = 80 })]);
            await relay.ResultAsync("unmap", [.. others.Select(other => other.ToUnmap())]);
        }

        await clients;
        Assert.Equal(4L * rounds, (await relay.CountersAsync(mapping))["accepted"]);
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task Unmapping_one_leaves_the_connections_of_all_others()
    {
        await using var relay = RelayUnderTest.Serve();
        using var kept = await RelayedPair.OpenAsync(relay);
        using var dropped = await RelayedPair.OpenAsync(relay);
        var item = dropped.Mapping.ToUnmap();
        item["drainMs"] = 0;
        await relay.ResultAsync("unmap", item);
        await dropped.Client.AssertResetAsync();
        await kept.Client.SendAllAsync("kept"u8.ToArray());
        Assert.Equal("kept"u8.ToArray(), await kept.Guest.ReceiveExactlyAsync(4));
    }

    [Fact]
    public async Task Requests_that_fail_disturb_no_connection()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        for (var i = 0; i < 100; i++)
        {
            await relay.FailAsync("AddressInUse", "map", new MsgMap { ["hostPort"] = pair.Mapping.HostPort, ["guestPort"] = 80 });
            await relay.FailAsync("NotFound", "unmap", (pair.Mapping with { Family = 6, Address = "::1" }).ToUnmap());
            await relay.FailAsync("MethodNotFound", "nothing");
            await relay.SendAsync(MsgEncoder.Encode("no message"));
            await relay.NotificationAsync();
        }

        await pair.Client.SendAllAsync("unharmed"u8.ToArray());
        Assert.Equal("unharmed"u8.ToArray(), await pair.Guest.ReceiveExactlyAsync(8));
    }
}
