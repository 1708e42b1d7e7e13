using System.Diagnostics;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

public sealed class EndOfFileTests
{
    [Fact]
    public async Task Ends_with_0_and_closes_every_listener_and_connection()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
        Assert.True(Net.CanListen(pair.Mapping.EndPoint));
        await pair.Client.AssertEndedAsync();
        await pair.Guest.AssertEndedAsync();
    }

    [Fact]
    public async Task Ends_at_once_without_any_request()
    {
        await using var relay = RelayUnderTest.Serve();
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
        Assert.Null(await relay.NextAsync());
    }

    [Fact]
    public async Task Ends_within_a_second_with_a_thousand_connections_open()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var many = await ManyConnections.OpenAsync(relay, 1000);
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, relay.CloseInput);
        Assert.Equal(0, await relay.ExitAsync());
        Assert.All(many.Mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), mapping.Name));
    }

    [Fact]
    public async Task Drain_stops_the_listeners_at_once_and_ends_with_the_last_connection()
    {
        await using var relay = RelayUnderTest.Serve("--drain-ms", "600000");
        using var pair = await RelayedPair.OpenAsync(relay);
        relay.CloseInput();
        await Limits.UntilAsync(() => Net.CanListen(pair.Mapping.EndPoint), "the listener to stop");
        await pair.Mapping.EndPoint.AssertRefusedAsync();
        await pair.Client.SendAllAsync("last"u8.ToArray());
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("last"u8.ToArray(), await pair.Guest.ReceiveToEndAsync());
        Assert.False(relay.Process.HasExited);
        pair.Guest.Shutdown(SocketShutdown.Send);
        await pair.Client.AssertEndAsync();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Drain_resets_what_is_left_when_its_time_is_over()
    {
        await using var relay = RelayUnderTest.Serve("--drain-ms", "700");
        using var pair = await RelayedPair.OpenAsync(relay);
        var clock = Stopwatch.StartNew();
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, relay.CloseInput, wait: TimeSpan.FromMilliseconds(700));
        Assert.Equal(0, await relay.ExitAsync());
        Assert.InRange(clock.ElapsedMilliseconds, 650, long.MaxValue);
        await pair.Client.AssertResetAsync();
    }

    [Fact]
    public async Task Drain_waits_for_connections_of_mappings_that_were_unmapped_before()
    {
        await using var relay = RelayUnderTest.Serve("--drain-ms", "600000");
        using var pair = await RelayedPair.OpenAsync(relay);
        using var other = await RelayedPair.OpenAsync(relay);
        await relay.ResultsAsync("unmap", pair.Mapping.ToUnmap());

        // A mapping that an unmap is already draining counts as well.
        var drained = other.Mapping.ToUnmap();
        drained["drainMs"] = 600_000;
        await relay.RequestAsync("unmap", drained);
        relay.CloseInput();
        await Limits.UntilAsync(() => Net.CanListen(other.Mapping.EndPoint), "the listener to stop");
        foreach (var connection in (RelayedPair[])[pair, other])
        {
            await Limits.PauseAsync();
            Assert.False(relay.Process.HasExited);
            await connection.Client.SendAllAsync("last"u8.ToArray());
            connection.Client.Shutdown(SocketShutdown.Send);
            Assert.Equal("last"u8.ToArray(), await connection.Guest.ReceiveToEndAsync());
            connection.Guest.Shutdown(SocketShutdown.Send);
            await connection.Client.AssertEndAsync();
        }

        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Drain_of_nothing_ends_at_once()
    {
        await using var relay = RelayUnderTest.Serve("--drain-ms", "600000");
        await relay.MapAsync(80);
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
    }
}
