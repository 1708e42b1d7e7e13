using System.Net;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A target in the range from which the system takes a connecting socket's own port: sooner or later they are the same, and it is connected to itself.</summary>
public sealed class SelfConnectTests
{
    [Fact]
    public void AConnectThatReachesItselfIsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "network namespaces are Linux's");
        const int OnlyPort = 40_000;
        using var loop = new LoopFixture();
        Assert.SkipUnless(loop.Ask(() => ThreadNetwork.TrySeparate(OnlyPort)), "this user may not create a network namespace");
        for (int i = 0; i < 3; i++)
        {
            Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, OnlyPort), owner));
            loop.Await(connect.Ended);
            Assert.Equal(IoError.ConnectionRefused, connect.Operation.Error);
            Assert.Null(((ConnectOperation)connect.Operation).Socket);
            var error = Assert.Throws<IoException>(() => loop.Ask(() => loop.Port.ConnectDatagrams(IoEndpoint.Udp(IPAddress.Loopback, OnlyPort))));
            Assert.Equal(IoError.ConnectionRefused, error.Error);
        }
    }
}
