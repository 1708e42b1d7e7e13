using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io.Windows;

/// <summary>Resets that arrive while the relay has neither a receive nor a send in flight on that side.</summary>
[SupportedOSPlatform("windows")]
public class WindowsResetTests
{
    [WindowsFact]
    public void AResetAfterAHalfCloseReachesAnIdleSide()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, server.Receive(new byte[1]));
        Reset(client);
        Assert.Equal(IoError.Reset, relay.WaitForEnd().ToServer);
        server.Dispose();
    }

    [WindowsFact]
    public void AResetReachesASideThatDoesNotRead()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        Fill(loop, client, relay.ToServer);
        Reset(client);
        Assert.Equal(IoError.Reset, relay.WaitForEnd().ToServer);
        server.Dispose();
    }

    [WindowsFact]
    public void AResetAfterAHalfCloseReachesASideThatDoesNotReadEither()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, client.Receive(new byte[1]));
        Fill(loop, client, relay.ToServer);
        Reset(client);
        Assert.Equal(IoError.Reset, relay.WaitForEnd().ToServer);
        server.Dispose();
    }

    [WindowsFact]
    public void ResetsOfBothSidesDuringSendsEndTheRelay()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        Fill(loop, client, relay.ToServer);
        Fill(loop, server, relay.ToClient);
        Reset(client);
        Reset(server);
        (IoError toServer, IoError toClient) = relay.WaitForEnd();
        Assert.NotEqual(IoError.None, toServer);
        Assert.NotEqual(IoError.None, toClient);
    }

    [WindowsFact]
    public void BytesBeforeAResetArriveAlthoughTheLoopWasBusy()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        for (int round = 0; round < 10; round++)
        {
            (Socket client, Socket server) = relay.Connect();
            client.Send(new byte[1]);
            Assert.Equal(1, server.Receive(new byte[1]));
            loop.Do(() =>
            {
                server.Send(new byte[200]);
                Reset(server);
            });
            int received = 0;
            for (int count = 1; received < 200 && count > 0; received += count)
                count = client.Receive(new byte[200]);

            Assert.Equal(200, received);
            client.Dispose();
        }
    }

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    // Sends until the relay is blocked in a send, and no further: Wine does not close a socket whose own send buffer is full.
    private static void Fill(LoopFixture loop, Socket socket, ByteCounter relayed)
    {
        byte[] bytes = new byte[65536];
        for (ulong sent = 0; loop.Ask(() => relayed.Value) == sent; sent += (ulong)bytes.Length)
        {
            Assert.Equal(bytes.Length, socket.Send(bytes));
            long started = Environment.TickCount64;
            while (loop.Ask(() => relayed.Value) < sent + (ulong)bytes.Length && Environment.TickCount64 - started < 1000)
                Thread.Sleep(1);
        }
    }
}
