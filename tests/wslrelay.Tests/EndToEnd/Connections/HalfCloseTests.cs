using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>An end of sending on one side becomes one on the other, after the last byte; the other direction goes on.</summary>
public sealed class HalfCloseTests
{
    private const int Volume = 20 << 20;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_end_comes_after_the_last_byte_and_the_other_direction_goes_on(bool clientEndsFirst)
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var (first, second) = pair.From(client: clientEndsFirst);
        await Promises.EndAfterTheLastByteAsync(first, second, Volume);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_without_a_byte_before_it_arrives_too(bool clientEndsFirst)
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var (first, second) = pair.From(client: clientEndsFirst);
        await Promises.EndWithoutAByteAsync(first, second);
    }

    [Fact]
    public async Task A_client_that_ended_before_the_guest_was_reached_still_gets_its_answer()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        for (var round = 0; round < 100; round++)
            await Promises.AnswerToAClientThatEndedAtOnceAsync(mapping);
    }

    [Fact]
    public async Task The_end_waits_behind_bytes_that_the_other_side_is_slow_to_read()
    {
        const int Part = 1 << 20;
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var stream = new ByteStream(3);
        var sent = 0L;
        Task part;
        do
        {
            part = stream.SendAsync(pair.Guest, sent, sent + Part);
            sent += Part;
        }
        while (await Task.WhenAny(part, Limits.PauseAsync()) == part);

        // Every buffer on the way is full.
        var received = stream.ReceiveToEndAsync(pair.Client);
        await part;
        pair.Guest.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await received);
    }

    [Fact]
    public async Task Half_closed_connections_cost_no_processor_time()
    {
        await using var relay = RelayUnderTest.Serve();
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await relay.MapAsync(((System.Net.IPEndPoint)listener.LocalEndPoint!).Port);
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 20; i++)
        {
            pairs.Add(await RelayedPair.OpenAsync(mapping, listener));
            (i % 2 == 0 ? pairs[i].Client : pairs[i].Guest).Shutdown(SocketShutdown.Send);
            await (i % 2 == 0 ? pairs[i].Guest : pairs[i].Client).AssertEndAsync();
        }

        await Limits.UntilIdleAsync(relay.Process);
        pairs.ForEach(pair => pair.Dispose());
    }
}
