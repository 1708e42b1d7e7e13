using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Windows;
using Wslrelay.Io.Windows.Interop;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io.Windows;

[SupportedOSPlatform("windows")]
public partial class WindowsListenTests
{
    [WindowsFact]
    public void SocketsHaveTheirOptions()
    {
        using var loop = new LoopFixture();
        TestListener four = loop.Listen();
        TestListener six = loop.Listen(IPAddress.IPv6Loopback);
        Assert.NotEqual(0, Get(four.Socket, Ws2_32.SOL_SOCKET, Ws2_32.SO_EXCLUSIVEADDRUSE));
        Assert.NotEqual(0, Get(six.Socket, Ws2_32.IPPROTO_IPV6, Ws2_32.IPV6_V6ONLY));
        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, four.Port), owner));
        loop.Await(connect.Ended);
        IoSocket accepted = four.Take();
        IoSocket connected = ((ConnectOperation)connect.Operation).Socket!;
        Assert.NotEqual(0, Get(accepted, Ws2_32.IPPROTO_TCP, Ws2_32.TCP_NODELAY));
        Assert.NotEqual(0, Get(connected, Ws2_32.IPPROTO_TCP, Ws2_32.TCP_NODELAY));
        Assert.Equal(four.Port, accepted.LocalPort);
        loop.Do(() =>
        {
            accepted.Close(abort: true);
            connected.Close(abort: true);
        });
    }

    [WindowsFact]
    public void NoOtherSocketTakesAPortByReuseAddress()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        SocketException refused = Assert.Throws<SocketException>(() =>
        {
            other.Bind(new IPEndPoint(IPAddress.Loopback, listener.Port));
            other.Listen();
        });
        Assert.Contains(refused.SocketErrorCode, new[] { SocketError.AccessDenied, SocketError.AddressAlreadyInUse });
    }

    [WindowsFact]
    public void AProbeSeesAWildcard()
    {
        using var port = (CompletionPort)IoPort.Create();
        using var foreign = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        foreign.Bind(new IPEndPoint(IPAddress.Any, 0));
        foreign.Listen();
        int number = ((IPEndPoint)foreign.LocalEndPoint!).Port;
        Assert.Equal(NativeError.WSAEADDRINUSE, new ListenerFactory(port).Probe(Ws2_32.AF_INET, number));
        foreign.Dispose();
        Assert.Equal(0, new ListenerFactory(port).Probe(Ws2_32.AF_INET, number));
    }

    [WindowsFact]
    public void AProbeSeesNoSingleAddress()
    {
        TestPlatform.NotUnderWine("Wine binds as Linux does: the wildcard is refused while a single address is bound");
        using var port = (CompletionPort)IoPort.Create();
        using IoSocket listener = port.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        Assert.Equal(0, new ListenerFactory(port).Probe(Ws2_32.AF_INET, listener.LocalPort));
    }

    [WindowsFact]
    public void ADualStackWildcardIsNotShadowed()
    {
        using var loop = new LoopFixture();
        using var foreign = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        foreign.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        foreign.Listen();
        int number = ((IPEndPoint)foreign.LocalEndPoint!).Port;
        foreach (IPAddress address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            IoException refused = Assert.Throws<IoException>(() => loop.Listen(address, number));
            Assert.Equal(IoError.AddressInUse, refused.Error);
        }
    }

    [WindowsFact]
    public void AListenerSurvivesALackOfSockets()
    {
        using var loop = new LoopFixture();
        var port = (CompletionPort)loop.Port;
        TestListener listener = loop.Listen();
        loop.Do(() => port.RefuseSockets = true);
        var clients = new List<Socket>();
        for (int i = 0; i < Accept.AcceptDepth; i++)
        {
            clients.Add(LoopFixture.ConnectClient(listener.Port));
            IoSocket accepted = listener.Take();
            loop.Do(() => accepted.Close(abort: true));
        }

        Assert.Equal(0, loop.Ask(() => port.InFlight));
        using Socket late = LoopFixture.ConnectClient(listener.Port);
        Thread.Sleep(350);
        Assert.Equal(Accept.AcceptDepth, loop.Ask(() => listener.AcceptedCount));
        loop.Do(() => port.RefuseSockets = false);
        IoSocket last = listener.Take();
        loop.Do(() => last.Close(abort: true));
        clients.ForEach(client => client.Dispose());
    }

    [WindowsFact]
    public void AListenerThatLacksSocketsCanBeCancelled()
    {
        using var loop = new LoopFixture();
        var port = (CompletionPort)loop.Port;
        TestListener listener = loop.Ask(() =>
        {
            var made = new TestListener(loop, IPAddress.Loopback, 0);
            port.RefuseSockets = true;
            return made;
        });
        loop.Do(() => Assert.Equal(0, port.InFlight));
        listener.Close();
        Assert.Equal(IoError.Cancelled, listener.Operation.Error);
    }

    [WindowsFact]
    public void ConnectionsAcceptedOrQueuedBeforeACancelAreServed()
    {
        const int Count = 3 * Accept.AcceptDepth;
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        var clients = new List<Socket>();
        loop.Do(() =>
        {
            // On the loop's thread: no completion packet is taken before the cancel.
            for (int i = 0; i < Count; i++)
                clients.Add(LoopFixture.ConnectClient(listener.Port));

            listener.Operation.Cancel();
        });
        loop.Await(listener.Ended);
        Assert.Equal(Count, loop.Ask(() => listener.AcceptedCount));
        foreach (Socket client in clients)
        {
            client.Send(new byte[] { 1 });
            IoSocket accepted = listener.Take();
            loop.Do(() => accepted.Close(abort: false));
            client.Dispose();
        }
    }

    private static int Get(SafeHandle socket, int level, int option)
    {
        int length = sizeof(int);
        Assert.Equal(0, getsockopt(socket, level, option, out int value, ref length));
        return value;
    }

    [LibraryImport("ws2_32")]
    private static partial int getsockopt(SafeHandle s, int level, int optname, out int optval, ref int optlen);
}
