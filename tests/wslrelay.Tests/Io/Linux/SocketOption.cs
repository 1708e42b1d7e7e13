using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>What the kernel has noted for a socket of the loop's (getsockopt(2)).</summary>
[SupportedOSPlatform("linux")]
internal static class SocketOption
{
    internal static unsafe int Get(LoopFixture loop, IoSocket socket, int level, int option) => loop.Ask(() =>
    {
        int value = -1;
        uint size = sizeof(int);
        Assert.Equal(0, Libc.getsockopt((EpollHandle)socket, level, option, &value, &size));
        return value;
    });
}
