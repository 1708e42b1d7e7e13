using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>The kernel's options of a socket of the loop (getsockopt(2)).</summary>
[SupportedOSPlatform("linux")]
internal static class SocketOption
{
    /// <summary>Bytes that the system holds for the peer of a test's own socket (tcp(7), SIOCOUTQ).</summary>
    internal static unsafe int Unsent(System.Net.Sockets.Socket socket)
    {
        int bytes = -1;
        Assert.Equal(0, Libc.ioctl(socket.SafeHandle, Libc.SIOCOUTQ, &bytes));
        return bytes;
    }

    internal static unsafe int Get(LoopFixture loop, IoSocket socket, int level, int option) => loop.Ask(() =>
    {
        int value = -1;
        uint size = sizeof(int);
        Assert.Equal(0, Libc.getsockopt((EpollHandle)socket, level, option, &value, &size));
        return value;
    });
}
