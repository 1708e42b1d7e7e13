using System.Net.Sockets;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

public class PumpTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnEndOnOneSideLeavesTheOtherDirectionOpen(bool clientEnds)
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        (Socket first, Socket second) = clientEnds ? (client, server) : (server, client);
        Pattern.Send(first, 100_000);
        Assert.Equal(100_000, Pattern.Receive(second));
        for (int i = 0; i < 20; i++)
        {
            second.Send(new byte[] { (byte)i });
            byte[] one = new byte[1];
            Assert.Equal(1, first.Receive(one));
            Assert.Equal(i, one[0]);
        }

        second.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, first.Receive(new byte[1]));
        Assert.Equal((IoError.None, IoError.None), relay.WaitForEnd());
        client.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AResetIsPassedOn(bool clientResets)
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        (Socket first, Socket second) = clientResets ? (client, server) : (server, client);
        first.Send(new byte[] { 1 });
        Assert.Equal(1, second.Receive(new byte[1]));
        Task<SocketError> end = PeerEnd.Of(second);

        if (TestPlatform.IsWine)
        {
            // It reports a reset that no receive waits for as an end: both receives must be pending.
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }

        first.LingerState = new LingerOption(true, 0);
        first.Dispose();
        loop.Await(end);
        Assert.Equal(SocketError.ConnectionReset, await end);
        (IoError toServer, IoError toClient) = relay.WaitForEnd();

        // The pump that receives the reset passes it on; the one that has lost its receiver may end before that.
        Assert.Contains(IoError.Reset, (IoError[])[toServer, toClient]);
        Assert.All((IoError[])[toServer, toClient], error => Assert.True(error is IoError.Reset or IoError.ReceiverBroke, $"{error}"));
        second.Dispose();
    }

    [Fact]
    public void AResetDuringDataIsPassedOn()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        var sender = Task.Run(
            () =>
            {
                try
                {
                    while (true)
                        client.Send(new byte[50_000]);
                }
                catch (SocketException)
                {
                    // It was reset, as it should be.
                }
            },
            TestContext.Current.CancellationToken);
        byte[] buffer = new byte[50_000];
        for (int got = 0; got < 2_000_000;)
            got += server.Receive(buffer);

        server.LingerState = new LingerOption(true, 0);
        server.Dispose();
        loop.Await(sender);
        (IoError toServer, IoError toClient) = relay.WaitForEnd();
        Assert.NotEqual(IoError.None, toServer);
        Assert.NotEqual(IoError.None, toClient);
        client.Dispose();
    }

    [Fact]
    public void ASideThatDoesNotReadStopsTheOther()
    {
        const long Bound = 64 * 1024 * 1024;
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        client.Blocking = false;

        // A system may let buffers that are read from grow almost without limit: this one is of a fixed size, which stops those before it from growing too.
        server.ReceiveBufferSize = 65536;
        byte[] buffer = new byte[65536];
        long sent = 0;
        for (int failed = 0; failed < 50;)
        {
            Pattern.Fill(buffer, sent);
            int count = client.Send(buffer, 0, buffer.Length, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success && count > 0)
            {
                sent += count;
                failed = 0;
                Assert.True(sent < Bound, "the relay accepts everything although nothing is read");
            }
            else
            {
                // The pump has had its turn.
                loop.Do(() => { });
                Thread.Sleep(10);
                failed++;
            }
        }

        client.Blocking = true;
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, Pattern.Receive(server));
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal((IoError.None, IoError.None), relay.WaitForEnd());
        Assert.Equal((ulong)sent, loop.Ask(() => relay.ToServer.Value));
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public void BothDirectionsAtOnceAreExact()
    {
        const long Length = 32 * 1024 * 1024;
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Task<long>[] receivers = [Task.Run(() => Pattern.Receive(client), cancellation), Task.Run(() => Pattern.Receive(server), cancellation)];
        Task[] senders = [Task.Run(() => Pattern.Send(client, Length), cancellation), Task.Run(() => Pattern.Send(server, Length), cancellation)];
        loop.AwaitAll([.. senders, .. receivers]);
        Assert.All(receivers, receiver => Assert.Equal(Length, receiver.Result));
        Assert.Equal((IoError.None, IoError.None), relay.WaitForEnd());
        Assert.Equal((ulong)Length, loop.Ask(() => relay.ToServer.Value));
        Assert.Equal((ulong)Length, loop.Ask(() => relay.ToClient.Value));
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public void ABusyConnectionDoesNotStarveTheOthers()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket busyClient, Socket busyServer) = relay.Connect();
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        bool stop = false;
        var flood = Task.Run(
            () =>
            {
                byte[] bytes = new byte[65536];
                while (!Volatile.Read(ref stop))
                    busyServer.Send(bytes);

                busyServer.Shutdown(SocketShutdown.Send);
            },
            cancellation);
        var drain = Task.Run(
            () =>
            {
                byte[] bytes = new byte[65536];
                while (busyClient.Receive(bytes) > 0)
                {
                }
            },
            cancellation);
        (Socket client, Socket server) = relay.Connect();
        byte[] one = new byte[1];
        for (int i = 0; i < 200; i++)
        {
            client.Send(one);
            Assert.Equal(1, server.Receive(one));
            server.Send(one);
            Assert.Equal(1, client.Receive(one));
        }

        // The busy connection never ends by itself: had it starved the other, a receive would have timed out.
        Volatile.Write(ref stop, true);
        loop.AwaitAll(flood, drain);
        foreach (Socket socket in (Socket[])[busyClient, busyServer, client, server])
            socket.Dispose();
    }
}
