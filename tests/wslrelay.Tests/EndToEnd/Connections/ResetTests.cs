using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A reset on one side becomes a reset on the other, never a clean end.</summary>
public sealed class ResetTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_of_an_idle_connection_is_passed_on(bool byClient)
    {
        await using var relay = RelayUnderTest.Serve();
        for (var round = 0; round < 20; round++)
        {
            using var pair = await RelayedPair.OpenAsync(relay);
            var (first, second) = pair.From(client: byClient);
            first.Reset();
            await second.AssertResetAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_during_a_transfer_is_passed_on(bool byClient)
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var (first, second) = pair.From(client: byClient);
        await Promises.ResetDuringTransferAsync(first, second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_after_a_half_close_by_the_side_still_sending_is_passed_on(bool byClient)
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var (first, second) = pair.From(client: byClient);
        await Promises.ResetDuringAnswerAsync(first, second);
        await second.AssertResetAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_by_the_side_that_has_ended_its_sending_stops_the_other(bool byClient)
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var (first, second) = pair.From(client: byClient);
        first.Shutdown(SocketShutdown.Send);
        await second.AssertEndAsync();
        first.Reset();
        using var stop = new CancellationTokenSource();
        var error = await Assert.ThrowsAsync<SocketException>(() => new ByteStream(1).SendUntilAsync(second, stop.Token));
        Assert.Contains(error.SocketErrorCode, SocketExtensions.Resets);
    }

    [Fact]
    public async Task A_connection_that_was_reset_is_no_longer_active()
    {
        await using var relay = RelayUnderTest.Serve();
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await relay.MapAsync(((System.Net.IPEndPoint)listener.LocalEndPoint!).Port);
        for (var i = 0; i < 50; i++)
        {
            using var pair = await RelayedPair.OpenAsync(mapping, listener);
            (i % 2 == 0 ? pair.Client : pair.Guest).Reset();
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "all connections to be gone");
        Assert.Equal(50L, (await relay.CountersAsync(mapping))["accepted"]);
    }
}
