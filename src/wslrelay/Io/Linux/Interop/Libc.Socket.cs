using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// socket(2), ip(7), ipv6(7), tcp(7), unix(7); constants from the kernel's uapi headers, the same on x64 and arm64. SuppressGCTransition only on calls that
// read or write a field of the socket: one that moves data or runs a handshake would hold up a collection on another thread.
internal static partial class Libc
{
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_VSOCK = 40;

    internal const int SOCK_STREAM = 1;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;

    internal const int SOL_SOCKET = 1;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_ERROR = 4;
    internal const int SO_SNDBUF = 7;
    internal const int SO_KEEPALIVE = 9;
    internal const int SO_LINGER = 13;
    internal const int SO_ATTACH_FILTER = 26;

    internal const int IPPROTO_TCP = 6;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_KEEPIDLE = 4;
    internal const int TCP_INFO = 11;
    internal const int TCP_CONGESTION = 13;

    internal const int IPPROTO_IPV6 = 41;
    internal const int IPV6_V6ONLY = 26;

    internal const int SHUT_WR = 1;
    internal const nuint SIOCOUTQ = 0x5411;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;

    [LibraryImport("libc", EntryPoint = "socket")]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    internal static unsafe partial int bind(SafeHandle sockfd, byte* addr, uint addrlen);

    [LibraryImport("libc", EntryPoint = "listen")]
    internal static partial int listen(SafeHandle sockfd, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4")]
    internal static unsafe partial int accept4(SafeHandle sockfd, byte* addr, uint* addrlen, int flags);

    [LibraryImport("libc", EntryPoint = "accept")]
    internal static unsafe partial int accept(SafeHandle sockfd, byte* addr, uint* addrlen);

    [LibraryImport("libc", EntryPoint = "connect")]
    internal static unsafe partial int connect(SafeHandle sockfd, byte* addr, uint addrlen);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    [SuppressGCTransition]
    internal static unsafe partial int getsockname(SafeHandle sockfd, byte* addr, uint* addrlen);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    [SuppressGCTransition]
    internal static unsafe partial int getpeername(SafeHandle sockfd, byte* addr, uint* addrlen);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    [SuppressGCTransition]
    internal static unsafe partial int getsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    [SuppressGCTransition]
    internal static unsafe partial int setsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    [SuppressGCTransition]
    internal static unsafe partial int ioctl(SafeHandle fd, nuint request, int* argp);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    internal static partial int shutdown(SafeHandle sockfd, int how);

    [LibraryImport("libc", EntryPoint = "recv")]
    internal static unsafe partial nint recv(SafeHandle sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    internal static unsafe partial nint send(SafeHandle sockfd, byte* buf, nuint len, int flags);
}
