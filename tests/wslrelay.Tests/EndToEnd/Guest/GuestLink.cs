using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>A way from the relay to the agent: what each of the two is told, and the sockets of a test that stands in for either.</summary>
internal sealed class GuestLink : IDisposable
{
    /// <summary>A Unix socket whose agent carries the bytes itself, for it cannot pass the server's socket.</summary>
    public const string Carried = "unix, carried";

    /// <summary>TCP to a <see cref="Auto.NetworkGuest"/>.</summary>
    public const string Cable = "cable";

    private readonly TemporaryFolder? _folder;

    private GuestLink(string kind, string listen, TemporaryFolder? folder) => (Kind, ListenText, _folder) = (kind, listen, folder);

    /// <summary>tcp, <see cref="Cable"/>, unix, <see cref="Carried"/> or vsock.</summary>
    public string Kind { get; }

    /// <summary>What the agent is told to listen on.</summary>
    public string ListenText { get; }

    /// <summary>The file of a Unix socket.</summary>
    public string Path => ListenText["unix:".Length..];

    /// <summary>The relay under test is Windows': that of these tests, or, for tests on Linux, one that a script starts under Wine.</summary>
    public static bool RelayIsWindows => OperatingSystem.IsWindows() || RelayProgram.Path.EndsWith(".sh", StringComparison.Ordinal);

    /// <summary>A new link; skips the test, with the reason, where this machine or program has none of the kind.</summary>
    public static GuestLink Create(string kind)
    {
        Assert.SkipWhen(kind is not ("tcp" or Cable) && RelayIsWindows, $"{kind}: the relay under test is Windows' and reaches an agent by TCP here.");
        switch (kind)
        {
            case "tcp":
                return new GuestLink(kind, "tcp:127.0.0.1:0", null);
            case Cable:
                return new GuestLink(kind, "tcp:10.117.0.2:0", null);
            case "unix" or Carried:
                var folder = new TemporaryFolder();
                return new GuestLink(kind, $"unix:{System.IO.Path.Combine(folder.Path, "agent")}", folder);
            default:
                Assert.SkipUnless(VSock.IsHere, "CID 1 does not connect: this kernel has no vsock loopback (.ci/vsock runs a kernel that has it).");
                return new GuestLink(kind, $"vsock:{VSock.FreePort()}", null);
        }
    }

    /// <summary>What the relay is told, once an agent says that it <paramref name="listens"/>.</summary>
    public string Target(string listens) => Kind == "vsock" ? listens.Replace("vsock:", "vsock:1:", StringComparison.Ordinal) : listens;

    /// <summary>Listens in the agent's place.</summary>
    public Socket Listen(int backlog = 1024)
    {
        if (Kind == "tcp")
            return Net.Listen(Net.Loopback(4), backlog);

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path));
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>Connects in the relay's place.</summary>
    public static async Task<Socket> ConnectAsync(string listens)
    {
        var socket = listens.StartsWith("unix:", StringComparison.Ordinal)
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        EndPoint endPoint = socket.AddressFamily == AddressFamily.Unix
            ? new UnixDomainSocketEndPoint(listens["unix:".Length..])
            : IPEndPoint.Parse(listens["tcp:".Length..]);
        await socket.ConnectAsync(endPoint).WaitAsync(Limits.Hang);
        return socket;
    }

    public void Dispose() => _folder?.Dispose();
}
