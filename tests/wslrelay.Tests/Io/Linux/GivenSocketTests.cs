using System.Net;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using SocketAddress = Wslrelay.Io.Linux.SocketAddress;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A connect of a socket that another process has made, perhaps in another network.</summary>
[SupportedOSPlatform("linux")]
public sealed class GivenSocketTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void ItIsTheOperationsUntilItIsConnected(bool listens, bool isCancelled)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sockets are passed on Linux only");
        using var loop = new LoopFixture();
        int port = listens ? loop.Listen().Port : Net.FreePort();
        (Completion connect, IoSocket given) = Connect(loop, port, isCancelled);
        IoSocket? connected = ((ConnectOperation)connect.Operation).Socket;
        Assert.Equal(listens && !isCancelled ? given : null, connected);
        Assert.Equal(connected is null, given.IsClosed);
        Assert.Null(((ConnectOperation)connect.Operation).Unconnected);
        loop.Do(() => connected?.Close(abort: true));
    }

    [Fact]
    public void ItIsNotConnectedToItselfWhereverItsNetworkChoosesPorts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "network namespaces are Linux's");
        const int OnlyPort = 20_000;
        Assert.False(TcpOptions.IsEphemeral(OnlyPort), "this machine chooses that port too");
        using var loop = new LoopFixture();
        Assert.SkipUnless(loop.Ask(() => ThreadNetwork.TrySeparate(OnlyPort)), "this user may not create a network namespace");
        (Completion connect, _) = Connect(loop, OnlyPort);
        Assert.Equal(IoError.ConnectionRefused, connect.Operation.Error);
    }

    private static (Completion Connect, IoSocket Given) Connect(LoopFixture loop, int port, bool isCancelled = false)
    {
        IoSocket given = loop.Ask(() => new EpollHandle((EpollPort)loop.Port, SocketAddress.Open(IoEndpoint.Tcp(IPAddress.Loopback, 0)), isSocket: true) { IsConnection = true });
        Completion connect = loop.Ask(() =>
        {
            Completion started = loop.StartHere(owner =>
            {
                ConnectOperation operation = loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, port), owner);
                operation.Unconnected = given;
                return operation;
            });
            if (isCancelled)
                started.Operation.Cancel();

            return started;
        });
        loop.Await(connect.Ended);
        loop.Do(static () => { });
        return (connect, given);
    }
}
