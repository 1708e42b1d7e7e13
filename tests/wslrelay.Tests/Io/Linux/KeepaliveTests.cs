using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Io.Linux.Interop;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Keepalive on both connections of a relay: to the client from its listener, to the target a second later, so that a short connection does not cost that call.</summary>
[SupportedOSPlatform("linux")]
public sealed class KeepaliveTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(123)]
    public void KeepaliveProbesBothConnections(int seconds)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The options are read from Linux.");
        using var loop = new LoopFixture(new EpollPort(keepaliveSeconds: seconds));
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        var accepted = (EpollHandle)listener.Take();
        Assert.Equal(1, SocketOption.Get(loop, accepted, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE));
        int system = SystemIdleTime();
        Assert.Equal(seconds == 0 ? system : seconds, SocketOption.Get(loop, accepted, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE));

        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, listener.Port), owner));
        loop.Await(connect.Ended);
        var target = (EpollHandle)((ConnectOperation)connect.Operation).Socket!;
        IoSocket other = listener.Take();

        // Nothing else wakes the loop.
        var deadline = DateTime.UtcNow + LoopFixture.HangTimeout;
        while (SocketOption.Get(loop, target, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE) == 0)
        {
            Assert.True(DateTime.UtcNow < deadline, "keepalive was not turned on");
            Thread.Sleep(100);
        }

        Assert.Equal(seconds == 0 ? system : seconds, SocketOption.Get(loop, target, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE));
        loop.Do(() => Array.ForEach<IoSocket>([accepted, target, other], socket => socket.Close(abort: true)));
    }

    [Fact]
    public void AConnectionThatWaitsForKeepaliveWakesTheLoop()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The queue is Linux's.");
        using var port = new EpollPort(CallMode.Single);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        ConnectOperation connect = port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port), new Completion());
        connect.Begin();
        connect.Schedule();
        Assert.Equal(1, port.Timers.Count);
        for (int waits = 0; port.Timers.Count > 0 && waits < 100; waits++)
        {
            _ = port.Wait(new IoEvent[8], port.Timers.NextTimeout());
            port.Timers.Fire();
        }

        Assert.Equal(0, port.Timers.Count);
        connect.Socket?.Close(abort: true);
    }

    private static int SystemIdleTime() => int.Parse(File.ReadAllText("/proc/sys/net/ipv4/tcp_keepalive_time"), System.Globalization.CultureInfo.InvariantCulture);
}
