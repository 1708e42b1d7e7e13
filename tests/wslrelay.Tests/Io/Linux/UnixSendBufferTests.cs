using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>The send buffer of a Unix socket, which does not grow by itself: bulk that fills it makes it larger, and nothing else does.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnixSendBufferTests
{
    private const int Length = 8 * 1024 * 1024;

    [Fact]
    public void ABulkTransferThatFillsItEnlargesIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "splice(2) is Linux's");
        using var folder = new TemporaryFolder();
        string path = System.IO.Path.Combine(folder.Path, "target");
        using var target = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        target.Bind(new UnixDomainSocketEndPoint(path));
        target.Listen();
        using var loop = new LoopFixture(new EpollPort { PumpMode = PumpMode.Splice });
        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Unix(path), owner));
        loop.Await(connect.Ended);
        IoSocket to = ((ConnectOperation)connect.Operation).Socket!;
        using Socket server = target.Accept();
        TestListener listener = loop.Listen();
        Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket from = listener.Take();
        int usual = SendBuffer(loop, to);

        Completion pump = loop.Start(owner => loop.Port.Pump(from, to, new ByteCounter(), owner));
        client.Send("x"u8);
        Assert.Equal(1, server.Receive(new byte[1]));
        Assert.Equal(usual, SendBuffer(loop, to));

        var sender = Task.Run(
            () =>
            {
                Pattern.Send(client, Length);
                client.Dispose();
            },
            TestContext.Current.CancellationToken);

        // Nothing is read yet.
        Assert.True(SpinWait.SpinUntil(() => SendBuffer(loop, to) > usual, LoopFixture.HangTimeout), $"the send buffer is still {usual} bytes");
        Assert.Equal(Length, Pattern.Receive(server));
        loop.AwaitAll(sender, pump.Ended);
        loop.Do(() =>
        {
            from.Close(abort: false);
            to.Close(abort: false);
        });
    }

    private static int SendBuffer(LoopFixture loop, IoSocket socket) => SocketOption.Get(loop, socket, Libc.SOL_SOCKET, Libc.SO_SNDBUF);
}
