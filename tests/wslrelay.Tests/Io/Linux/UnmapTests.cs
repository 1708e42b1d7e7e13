using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Io.Linux.Interop;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>The end of a listener: established connections are served, and no handshake begins that the close would reset.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnmapTests
{
    [Fact]
    public void WhileItsBacklogIsEmptiedNoHandshakeBegins()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The filter is Linux's.");
        using var listening = new EpollPort(CallMode.Single);
        var listener = (EpollHandle)listening.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        using Socket before = LoopFixture.ConnectClient(listener.LocalPort);
        TcpOptions.DropNewHandshakes(listener);
        using var during = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        Assert.Equal(SocketError.WouldBlock, Assert.Throws<SocketException>(() => during.Connect(IPAddress.Loopback, listener.LocalPort)).SocketErrorCode);
        Assert.False(during.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectWrite), "the handshake continued");

        Assert.Equal(1, AcceptAll(listening, listener));
        listener.Close(abort: false);

        // Its next SYN, a second later, finds no listener.
        Assert.True(during.Poll(LoopFixture.HangTimeout, SelectMode.SelectError), "the client was not refused");
    }

    [Fact]
    public void AHandshakeThatHasBegunCompletes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The filter is Linux's.");
        using var listening = new EpollPort(CallMode.Single);
        var listener = (EpollHandle)listening.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));

        // Without TCP_QUICKACK the client's system holds its acknowledgement back, which completes the handshake, until the client sends, for 200 ms at most.
        const int QuickAck = 12;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.SetRawSocketOption(Libc.IPPROTO_TCP, QuickAck, BitConverter.GetBytes(0));
        client.Connect(IPAddress.Loopback, listener.LocalPort);
        TcpOptions.DropNewHandshakes(listener);
        client.Send(new byte[1]);
        Assert.Equal(1, AcceptAll(listening, listener));
        listener.Close(abort: false);
    }

    // Accepts as an unmap does: what is in the backlog, then no more. Returns the number of connections.
    private static int AcceptAll(EpollPort listening, EpollHandle listener)
    {
        var owner = new Acceptor();
        AcceptOperation accept = listening.Accept(listener, owner);
        accept.Begin();
        accept.Schedule();
        accept.Cancel();
        var events = new IoEvent[8];
        while (accept.State == IoState.Pending)
        {
            int count = listening.Wait(events, 1000);
            for (int i = 0; i < count && accept.State == IoState.Pending; i++)
                accept.Collect(in events[i]);
        }

        accept.OnCompleted();
        return owner.Count;
    }

    private sealed class Acceptor : IAcceptOwner
    {
        internal int Count { get; private set; }

        public void Accepted(IoSocket socket)
        {
            Count++;
            socket.Close(abort: true);
        }

        public void Completed(IoOperation operation)
        {
        }
    }
}
