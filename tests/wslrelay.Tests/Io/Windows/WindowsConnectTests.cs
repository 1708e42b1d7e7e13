using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Windows;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io.Windows;

[SupportedOSPlatform("windows")]
public class WindowsConnectTests
{
    [WindowsFact]
    public void TheSystemReportsWhetherAPortHasAListener()
    {
        using var any = Listen(IPAddress.Any, 0);
        using var one = Listen(IPAddress.Loopback, 0);
        using var six = Listen(IPAddress.IPv6Loopback, 0);
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var listeners = new LoopbackListeners();
        Assert.True(listeners.Contains(At(any, IPAddress.Loopback)));
        Assert.True(listeners.Contains(At(one, IPAddress.Loopback)));
        Assert.True(listeners.Contains(At(six, IPAddress.IPv6Loopback)));
        Assert.False(listeners.Contains(At(bound, IPAddress.Loopback)));
        Assert.False(listeners.Contains(At(one, IPAddress.IPv6Loopback)));
    }

    [WindowsFact]
    public void ARefusalByAListenerIsRetried()
    {
        using var loop = new LoopFixture();
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int asked = 0;
        ((CompletionPort)loop.Port).LoopbackListeners.Override = _ => ++asked > 0;
        Completion connect = loop.Start(owner => loop.Port.Connect(At(reserved, IPAddress.Loopback), owner));
        while (loop.Ask(() => asked) < 3)
            Thread.Sleep(10);

        Assert.False(connect.Ended.IsCompleted);
        reserved.Listen();
        loop.Await(connect.Ended);
        Assert.Equal(IoError.None, connect.Operation.Error);
        IoSocket socket = ((ConnectOperation)connect.Operation).Socket!;
        loop.Do(() => socket.Close(abort: true));
    }

    [WindowsFact]
    public void ARetriedConnectCanBeCancelled()
    {
        using var loop = new LoopFixture();
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int asked = 0;
        ((CompletionPort)loop.Port).LoopbackListeners.Override = _ => ++asked > 0;
        Completion connect = loop.Start(owner => loop.Port.Connect(At(reserved, IPAddress.Loopback), owner));
        while (loop.Ask(() => asked) < 1)
            Thread.Sleep(10);

        loop.Do(() => connect.Operation.Cancel(IoError.TimedOut));
        loop.Await(connect.Ended);
        Assert.Equal(IoError.TimedOut, connect.Operation.Error);
    }

    [WindowsFact]
    public void ARetriedConnectCanBeCancelledInTheTurnOfItsNextTry()
    {
        using var port = (CompletionPort)IoPort.Create();
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        port.LoopbackListeners.Override = _ => true;
        var connect = new Connect(port, At(reserved, IPAddress.Loopback), new NoOwner());
        connect.Begin();
        connect.Schedule();
        connect.Collect(WaitForEvent(port)); // refused
        IoEvent nextTry = WaitForEvent(port);
        connect.Cancel(IoError.TimedOut);
        connect.Collect(nextTry);
        Assert.Equal(IoError.TimedOut, connect.Error);
        Assert.Equal(0, port.InFlight);
        connect.OnCompleted();
    }

    private static IoEvent WaitForEvent(CompletionPort port)
    {
        var events = new IoEvent[1];
        while (port.Wait(events, port.Timers.NextTimeout()) == 0)
            port.Timers.Fire();

        return events[0];
    }

    private static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    private static IoEndpoint At(Socket socket, IPAddress address) => IoEndpoint.Tcp(address, ((IPEndPoint)socket.LocalEndPoint!).Port);

    private sealed class NoOwner : IIoOwner
    {
        public void Completed(IoOperation operation)
        {
        }
    }
}
