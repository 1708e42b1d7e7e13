using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A Unix listener that is busy: connect(2) does not wait for room in its backlog, so the operation does.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnixBacklogTests
{
    [Fact]
    public void AConnectWaitsForRoom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Windows connects Unix sockets in another way");
        using var folder = new TemporaryFolder();
        string path = System.IO.Path.Combine(folder.Path, "busy");
        using var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(path));
        server.Listen(1);
        using var loop = new LoopFixture();
        Completion[] connects = [.. Enumerable.Range(0, 6).Select(_ => loop.Start(owner => loop.Port.Connect(IoEndpoint.Unix(path), owner)))];

        // One more than the backlog is accepted (unix(7)). The loop checks repeatedly for room, and finds none.
        loop.AwaitAll(connects[0].Ended, connects[1].Ended);
        Thread.Sleep(50);
        loop.Do(() => { });
        Assert.All(connects[2..], connect => Assert.Equal(0, connect.Count));
        Completion last = connects[^1];
        loop.Do(() => last.Operation.Cancel());
        loop.Await(last.Ended);
        Assert.Equal(IoError.Cancelled, last.Operation.Error);

        List<Socket> accepted = [];
        for (int i = 0; i < 5; i++)
            accepted.Add(server.Accept());

        loop.AwaitAll([.. connects.Select(connect => connect.Ended)]);
        Assert.All(connects[..^1], connect => Assert.Equal(IoError.None, connect.Operation.Error));
        loop.Do(() => Array.ForEach(connects[..^1], connect => ((ConnectOperation)connect.Operation).Socket!.Close(abort: false)));
        accepted.ForEach(socket => socket.Dispose());
    }
}
