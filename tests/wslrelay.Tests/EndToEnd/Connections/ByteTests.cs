using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Every byte, in order, in both directions at once; no direction ever waits for the other.</summary>
public sealed class ByteTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task A_large_volume_each_way_at_once_arrives_in_order(int family)
    {
        const long Volume = 200L << 20;
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay, family);
        var toGuest = new ByteStream(1);
        var toHost = new ByteStream(2);
        var received = Task.WhenAll(toGuest.ReceiveToEndAsync(pair.Guest), toHost.ReceiveToEndAsync(pair.Client));
        await Task.WhenAll(SendAndEndAsync(toGuest, pair.Client), SendAndEndAsync(toHost, pair.Guest));
        Assert.All(await received, count => Assert.Equal(Volume, count));

        static async Task SendAndEndAsync(ByteStream stream, Socket socket)
        {
            await stream.SendAsync(socket, 0, Volume);
            socket.Shutdown(SocketShutdown.Send);
        }
    }

    [Fact]
    public async Task Fifty_megabytes_arrive_exactly()
    {
        await using var relay = RelayUnderTest.Serve();
        var content = Net.RandomBytes(50 << 20);
        await using var guest = GuestServer.Content(content);
        using var client = await (await relay.MapAsync(guest.Port)).ConnectAsync();
        var received = await client.ReceiveToEndAsync();
        Assert.True(content.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task A_direction_that_is_stopped_does_not_stop_the_other()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        using var stop = new CancellationTokenSource();
        var blocked = new ByteStream(1).SendUntilAsync(pair.Client, stop.Token);
        await Limits.PauseAsync();
        var answers = new ByteStream(2);
        var received = answers.ReceiveToEndAsync(pair.Client);
        await answers.SendAsync(pair.Guest, 0, 64 << 20);
        Assert.False(blocked.IsCompleted, "The guest reads nothing, so its client cannot have sent everything.");
        pair.Guest.Shutdown(SocketShutdown.Send);
        Assert.Equal(64 << 20, await received);

        await stop.CancelAsync();
        var late = new ByteStream(1).ReceiveToEndAsync(pair.Guest);
        var sent = await blocked;
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await late);
    }

    [Fact]
    public async Task Single_bytes_make_their_round_trip_without_delay()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        pair.Client.NoDelay = pair.Guest.NoDelay = true;
        for (var i = 0; i < 1000; i++)
        {
            await pair.Client.SendAllAsync(new[] { (byte)i });
            Assert.Equal((byte)i, Assert.Single(await pair.Guest.ReceiveExactlyAsync(1)));
            await pair.Guest.SendAllAsync(new[] { (byte)~i });
            Assert.Equal((byte)~i, Assert.Single(await pair.Client.ReceiveExactlyAsync(1)));
        }
    }

    [Fact]
    public async Task What_a_guest_sends_first_arrives()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        await pair.Guest.SendAllAsync("220 ready"u8.ToArray());
        Assert.Equal("220 ready"u8.ToArray(), await pair.Client.ReceiveExactlyAsync(9));
    }

    [Fact]
    public async Task Bursts_of_every_size_arrive_in_order()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        using var client = await (await relay.MapAsync(guest.Port)).ConnectAsync();
        for (var size = 1; size <= 1 << 20; size = (size * 3) + 1)
        {
            var bytes = Net.RandomBytes(size, size);
            var back = client.ReceiveExactlyAsync(size);
            await client.SendAllAsync(bytes);
            var echo = await back;
            Assert.True(bytes.AsSpan().SequenceEqual(echo), $"{size} bytes");
        }
    }

    [Fact]
    public async Task Two_hundred_connections_at_once_each_get_their_own_bytes()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(EchoAsync));

        async Task EchoAsync(int seed)
        {
            using var client = await mapping.ConnectAsync();
            var bytes = Net.RandomBytes(100_000, seed);
            var back = client.ReceiveExactlyAsync(bytes.Length);
            await client.SendAllAsync(bytes);
            var echo = await back;
            Assert.True(bytes.AsSpan().SequenceEqual(echo), $"connection {seed}");
        }
    }
}
