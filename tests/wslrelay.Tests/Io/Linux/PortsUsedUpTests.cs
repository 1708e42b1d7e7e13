using System.Net;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>No free port, in a network namespace where the system may choose only one: the error says so, and not that port 0 is in use.</summary>
[SupportedOSPlatform("linux")]
public sealed class PortsUsedUpTests
{
    private const int OnlyPort = 40_000;

    [Fact]
    public void AMappingWhosePortTheSystemChoosesGetsAnErrorThatSaysSo()
    {
        using LoopFixture loop = Separate();
        RelayException refused = Assert.Throws<RelayException>(() => loop.Do(() =>
        {
            Assert.True(RelayTarget.TryParse("direct", out RelayTarget? target, out _));
            var table = new PortTable(
                loop.Loop, RelayTargetEndpoint.Resolve(target), GuestProtocol.Relay, allowRemote: false, new RelayLog(NullLogger.Instance));
            table.Map([new PortMapping(0, 80), new PortMapping(0, 80)]);
        }));
        Assert.Equal(1, refused.Error.Index);
        Assert.Contains("every port that the system may choose", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AConnectionWithoutAFreeLocalPortGetsAnErrorThatSaysSo()
    {
        using LoopFixture loop = Separate();
        TestListener listener = loop.Listen(port: OnlyPort + 1);
        Completion first = Connect(loop, listener);
        Assert.Equal(IoError.None, first.Operation.Error);
        Completion second = Connect(loop, listener);
        Assert.Equal(IoError.AddressNotAvailable, second.Operation.Error);
        Assert.Contains("no local port is free", second.Operation.Error.Describe(second.Operation.NativeError), StringComparison.Ordinal);
        IoSocket accepted = listener.Take();
        loop.Do(() => Array.ForEach<IoSocket>([((ConnectOperation)first.Operation).Socket!, accepted], socket => socket.Close(abort: true)));
    }

    private static LoopFixture Separate()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "network namespaces are Linux's");
        var loop = new LoopFixture();
        if (loop.Ask(() => ThreadNetwork.TrySeparate(OnlyPort)))
            return loop;

        loop.Dispose();
        Assert.Skip("this user may not create a network namespace");
        return loop;
    }

    private static Completion Connect(LoopFixture loop, TestListener listener)
    {
        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, listener.Port), owner));
        loop.Await(connect.Ended);
        return connect;
    }
}
