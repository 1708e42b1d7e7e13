using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Listeners on the same path: none replaces, or deletes the file of, another that is open.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnixListenerFileTests
{
    private const string LinuxOnly = "Unix listeners are Linux's.";

    [Fact]
    public void OfSeveralListenersThatStartTogetherOneListensAndIsReached()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Rounds = 200;
        const int Count = 4;
        using var folder = new TemporaryFolder();
        EpollPort[] ports = [.. Enumerable.Range(0, Count).Select(_ => new EpollPort(CallMode.Single))];
        for (int round = 0; round < Rounds; round++)
        {
            string path = Path.Combine(folder.Path, $"{round}");
            LeaveStaleFile(path);
            using var start = new Barrier(Count);
            var listeners = new IoSocket?[Count];
            Thread[] threads = [.. Enumerable.Range(0, Count).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                try
                {
                    listeners[i] = ports[i].Listen(IoEndpoint.Unix(path));
                }
                catch (IoException e) when (e.Error == IoError.AddressInUse)
                {
                    // Another listener was first.
                }
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            IoSocket listener = Assert.Single(listeners, listener => listener is not null)!;
            Connect(path);
            listener.Close(abort: false);
            Assert.False(File.Exists(path));
        }

        Array.ForEach(ports, port => port.Dispose());
    }

    [Fact]
    public void ASocketThatIsBoundAndDoesNotListenYetIsNotReplaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "bound");
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(path));
        using var port = new EpollPort(CallMode.Single);
        IoException refused = Assert.Throws<IoException>(() => port.Listen(IoEndpoint.Unix(path)));
        Assert.Equal(IoError.AddressInUse, refused.Error);
        other.Listen();
        Connect(path);
    }

    [Fact]
    public void TheFileOfAnotherIsNotDeletedAtTheEnd()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "taken");
        using var port = new EpollPort(CallMode.Single);
        IoSocket first = port.Listen(IoEndpoint.Unix(path));
        File.Delete(path);
        IoSocket second = port.Listen(IoEndpoint.Unix(path));
        first.Close(abort: false);
        Connect(path);
        second.Close(abort: false);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void AMissingFolderIsNamed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var folder = new TemporaryFolder();
        using var port = new EpollPort(CallMode.Single);
        string missing = Path.Combine(folder.Path, "missing");
        IoException refused = Assert.Throws<IoException>(() => port.Listen(IoEndpoint.Unix(Path.Combine(missing, "socket"))));
        Assert.Contains($"no folder {missing}", refused.Message, StringComparison.Ordinal);
    }

    // As a process leaves it that was killed: .NET deletes the file of a socket that it disposes, under the name that it was bound to.
    private static void LeaveStaleFile(string path)
    {
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path + "-bound"));
            File.Move(path + "-bound", path);
        }

        Assert.True(File.Exists(path));
    }

    private static void Connect(string path)
    {
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
    }
}
