using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A side that does not read stops the other, in bounded memory; a connection that misbehaves disturbs no other.</summary>
public sealed class BackpressureTests
{
    private const int Connections = 50;
    private const long MemoryEach = 256 << 10;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_that_stops_stops_its_sender_and_loses_nothing(bool clientReads)
    {
        await using var relay = RelayUnderTest.Serve();
        using var listener = Net.Listen(Net.Loopback(4));
        await using var other = GuestServer.Echo();
        var mapping = await relay.MapAsync(((System.Net.IPEndPoint)listener.LocalEndPoint!).Port);
        var healthy = await relay.MapAsync(other.Port);
        await healthy.AssertEchoAsync();
        var before = ProcessFigures.Memory(relay.Process);

        using var stop = new CancellationTokenSource();
        var stream = new ByteStream(1);
        var pairs = new List<(Socket Sender, Socket Reader, Task<long> Sending)>();
        for (var i = 0; i < Connections; i++)
        {
            var pair = await RelayedPair.OpenAsync(mapping, listener);
            var (sender, reader) = clientReads ? (pair.Guest, pair.Client) : (pair.Client, pair.Guest);
            pairs.Add((sender, reader, stream.SendUntilAsync(sender, stop.Token)));
        }

        await Limits.UntilIdleAsync(relay.Process);
        for (var round = 0; round < 50; round++)
            await healthy.AssertEchoAsync();

        await Limits.UntilIdleAsync(relay.Process);
        var grown = ProcessFigures.Memory(relay.Process) - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{grown >> 10} KiB for {Connections} stopped connections");
        Assert.InRange(grown, long.MinValue, Connections * MemoryEach);
        Assert.All(pairs, pair => Assert.False(pair.Sending.IsCompleted));

        await stop.CancelAsync();
        var received = pairs.Select(pair => stream.ReceiveToEndAsync(pair.Reader)).ToArray();
        foreach (var pair in pairs)
        {
            await pair.Sending;
            pair.Sender.Shutdown(SocketShutdown.Send);
        }

        Assert.Equal(await Task.WhenAll(pairs.Select(pair => pair.Sending)), await Task.WhenAll(received));
        pairs.ForEach(pair => pair.Sender.Dispose());
        pairs.ForEach(pair => pair.Reader.Dispose());
    }

    [Fact]
    public async Task Connections_that_misbehave_disturb_no_other()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var refused = await relay.MapAsync(Net.FreePort());
        using var stop = new CancellationTokenSource();
        var disturbing = Task.Run(() => DisturbAsync(mapping, refused, stop.Token), stop.Token);

        using var client = await mapping.ConnectAsync();
        var stream = new ByteStream(4);
        var received = stream.ReceiveToEndAsync(client);
        await stream.SendAsync(client, 0, 100 << 20);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(100 << 20, await received);
        await stop.CancelAsync();
        await disturbing;
        await mapping.AssertEchoAsync();
    }

    private static async Task DisturbAsync(Mapping mapping, Mapping refused, CancellationToken stop)
    {
        var held = new List<Socket>();
        for (var i = 0; i < 2000 && !stop.IsCancellationRequested; i++)
        {
            if (i % 8 == 7)
            {
                await refused.AssertResetAsync();
                continue;
            }

            var client = await mapping.ConnectAsync();
            if (i % 4 == 0)
            {
                client.Reset();
            }
            else if (i % 4 == 1)
            {
                await client.SendAsync(new byte[50_000], CancellationToken.None);
                client.Reset();
            }
            else
            {
                held.Add(client);
            }
        }

        held.ForEach(client => client.Dispose());
    }
}
