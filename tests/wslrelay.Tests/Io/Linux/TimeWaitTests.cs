using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Connections in TIME_WAIT do not keep their port from being bound again, whoever chose it.</summary>
[SupportedOSPlatform("linux")]
public sealed class TimeWaitTests
{
    [Fact]
    public void APortThatTheSystemChoseCanBeTakenAgainAtOnce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Windows keeps connections in TIME_WAIT from their listener's port by itself");
        // An address that nothing else uses: the system must not have given the port to another socket by then.
        var address = IPAddress.Parse("127.8.7.6");
        using var port = new EpollPort();
        IoSocket listener = port.Listen(IoEndpoint.Tcp(address, 0));
        int number = listener.LocalPort;
        using (Socket client = LoopFixture.ConnectClient(number, address))
        using (var accepting = new Socket(new SafeSocketHandle(listener.DangerousGetHandle(), ownsHandle: false)))
        {
            // The side that ends first is the one in TIME_WAIT.
            accepting.Blocking = true;
            accepting.Accept().Dispose();
            Assert.Equal(0, client.Receive(new byte[1]));
        }

        listener.Close(abort: false);
        port.Listen(IoEndpoint.Tcp(address, number)).Close(abort: false);
    }
}
