using System.Net.Sockets;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>A relay that runs allocates nothing, however long it runs.</summary>
public sealed class AllocationTests
{
    private const long Volume = 1L << 30;

    // Under Wine a gibibyte takes a minute.
    private const long WineVolume = 64L << 20;

    [Fact]
    public void SteadyStateAllocatesNothing()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        HoldTwoBuffers(loop);
        RoundTrips(client, server, 1000);
        Bulk(loop, client, server, 64L << 20, blocks: true);
        _ = loop.AllocatedByLoop();

        long before = loop.AllocatedByLoop();
        RoundTrips(client, server, 10_000);
        long between = loop.AllocatedByLoop();
        Bulk(loop, client, server, TestPlatform.IsWine ? WineVolume : Volume);
        long after = loop.AllocatedByLoop();

        Assert.Equal((0, 0), (between - before, after - between));
        client.Dispose();
        server.Dispose();
    }

    // Two directions that move at once need two buffers, and whether they do so in the warm-up depends on scheduling.
    private static void HoldTwoBuffers(LoopFixture loop) => loop.Do(() =>
    {
        BufferPool buffers = loop.Port.Buffers;
        byte[] one = buffers.Rent();
        byte[] other = buffers.Rent();
        buffers.Return(one);
        buffers.Return(other);
    });

    private static void RoundTrips(Socket client, Socket server, int count)
    {
        byte[] bytes = new byte[64];
        for (int i = 0; i < count; i++)
        {
            client.Send(bytes);
            ReceiveAll(server, bytes);
            server.Send(bytes);
            ReceiveAll(client, bytes);
        }
    }

    // With blocks, nothing is received until nothing more can be sent: a blocked pump has then allocated what it needs once.
    private static void Bulk(LoopFixture loop, Socket client, Socket server, long length, bool blocks = false)
    {
        long sent = 0;
        loop.AwaitAll(
            Task.Run(
                () =>
                {
                    byte[] bytes = new byte[1 << 20];
                    while (sent < length)
                        Volatile.Write(ref sent, sent + server.Send(bytes, (int)Math.Min(bytes.Length, length - sent), SocketFlags.None));
                },
                TestContext.Current.CancellationToken),
            Task.Run(
                () =>
                {
                    byte[] bytes = new byte[1 << 20];
                    for (long last = -1; blocks && last != Volatile.Read(ref sent); Thread.Sleep(1000))
                        last = Volatile.Read(ref sent);

                    for (long left = length; left > 0;)
                    {
                        int count = client.Receive(bytes, (int)Math.Min(bytes.Length, left), SocketFlags.None);
                        Assert.NotEqual(0, count);
                        left -= count;
                    }
                },
                TestContext.Current.CancellationToken));
    }

    private static void ReceiveAll(Socket from, byte[] bytes)
    {
        for (int received = 0; received < bytes.Length;)
        {
            int count = from.Receive(bytes, received, bytes.Length - received, SocketFlags.None);
            Assert.NotEqual(0, count);
            received += count;
        }
    }
}
