using System.Net.Sockets;
using System.Runtime.InteropServices;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A network namespace for the calling thread only (network_namespaces(7)), with loopback and nothing else.</summary>
internal static partial class ThreadNetwork
{
    private const int CLONE_NEWNET = 0x40000000;
    private const nuint SIOCSIFFLAGS = 0x8914;
    private const int IFF_UP = 1;

    /// <summary>
    /// The sockets that this thread creates from now on are in a network namespace, where the system can choose one port only if it is given. False where the user
    /// may not do that.
    /// </summary>
    internal static bool TrySeparate(int? onlyPort = null)
    {
        if (Unshare(CLONE_NEWNET) != 0)
            return false;

        // struct ifreq: the name, then the flags.
        byte[] request = new byte[40];
        "lo"u8.CopyTo(request);
        request[16] = IFF_UP;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Assert.Equal(0, Ioctl((int)socket.Handle, SIOCSIFFLAGS, request));
        if (onlyPort is not null)
            File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", $"{onlyPort} {onlyPort}");
        return true;
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Ioctl(int descriptor, nuint request, byte[] argument);
}
