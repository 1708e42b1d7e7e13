using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// socket(2), ip(7), ipv6(7), tcp(7), udp(7), recvmmsg(2), unix(7), cmsg(3), and classic BPF for SO_ATTACH_FILTER; constants and layouts from the kernel's uapi headers,
// the same on x64 and arm64. SuppressGCTransition only on calls that read or write a field of the socket: one that moves data or runs a handshake
// would hold up a collection on another thread.
internal abstract unsafe partial class Libc
{
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_VSOCK = 40;

    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;

    internal const int SOL_SOCKET = 1;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_ERROR = 4;
    internal const int SO_SNDBUF = 7;
    internal const int SO_RCVBUF = 8;
    internal const int SO_KEEPALIVE = 9;
    internal const int SO_LINGER = 13;
    internal const int SO_ATTACH_FILTER = 26;
    internal const int SO_DOMAIN = 39;
    internal const int SO_MEMINFO = 55;
    internal const int SCM_RIGHTS = 1;

    internal const int IPPROTO_TCP = 6;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_KEEPIDLE = 4;
    internal const int TCP_INFO = 11;
    internal const byte TCP_SYN_SENT = 2;
    internal const byte TCP_TIME_WAIT = 6;
    internal const byte TCP_CLOSE_WAIT = 8;
    internal const byte TCP_LAST_ACK = 9;
    internal const byte TCP_CLOSING = 11;
    internal const int TCP_CONGESTION = 13;

    internal const int IPPROTO_IP = 0;
    internal const int IP_PKTINFO = 8;
    internal const int IPPROTO_IPV6 = 41;
    internal const int IPV6_V6ONLY = 26;
    internal const int IPV6_RECVPKTINFO = 49;
    internal const int IPV6_PKTINFO = 50;

    internal const int IPPROTO_UDP = 17;
    internal const int UDP_SEGMENT = 103;
    internal const int UDP_GRO = 104;

    internal const int SHUT_WR = 1;
    internal const nuint SIOCOUTQ = 0x5411;
    internal const int MSG_CTRUNC = 0x8;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;

    internal const ushort BPF_LD_B_ABS = 0x30;
    internal const ushort BPF_ALU_AND_K = 0x54;
    internal const ushort BPF_JMP_JEQ_K = 0x15;
    internal const ushort BPF_RET_K = 0x06;

    [LibraryImport("libc")]
    internal static partial int socket(int domain, int type, int protocol);
    [LibraryImport("libc")]
    internal static partial int bind(SafeHandle sockfd, ReadOnlySpan<byte> addr, uint addrlen);
    [LibraryImport("libc")]
    internal static partial int listen(SafeHandle sockfd, int backlog);
    [LibraryImport("libc")]
    internal static partial int accept4(SafeHandle sockfd, byte* addr, uint* addrlen, int flags);
    [LibraryImport("libc")]
    internal static partial int accept(SafeHandle sockfd, byte* addr, uint* addrlen);
    [LibraryImport("libc")]
    internal static partial int connect(SafeHandle sockfd, ReadOnlySpan<byte> addr, uint addrlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int getsockname(SafeHandle sockfd, Span<byte> addr, ref uint addrlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int getpeername(SafeHandle sockfd, Span<byte> addr, ref uint addrlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int getsockopt(int sockfd, int level, int optname, void* optval, uint* optlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int getsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint* optlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int setsockopt(int sockfd, int level, int optname, void* optval, uint optlen);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int setsockopt(SafeHandle sockfd, int level, int optname, void* optval, uint optlen);

    // SO_ATTACH_FILTER: the kernel compiles the filter, some 0.1 ms.
    [LibraryImport("libc", EntryPoint = "setsockopt")]
    internal static partial int setsockopt_filter(SafeHandle sockfd, int level, int optname, sock_fprog* optval, uint optlen);

    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int ioctl(SafeHandle fd, nuint request, int* argp);
    [LibraryImport("libc")]
    internal static partial int shutdown(SafeHandle sockfd, int how);
    [LibraryImport("libc")]
    internal static partial nint recv(SafeHandle sockfd, byte* buf, nuint len, int flags);
    [LibraryImport("libc")]
    internal static partial nint send(SafeHandle sockfd, byte* buf, nuint len, int flags);
    [LibraryImport("libc")]
    internal static partial nint sendmsg(SafeHandle sockfd, MessageHeader* msg, int flags);
    [LibraryImport("libc")]
    internal static partial nint recvmsg(SafeHandle sockfd, MessageHeader* msg, int flags);
    [LibraryImport("libc")]
    internal static partial int recvmmsg(SafeHandle sockfd, MultiMessageHeader* msgvec, uint vlen, int flags, void* timeout);
    [LibraryImport("libc")]
    internal static partial int sendmmsg(SafeHandle sockfd, MultiMessageHeader* msgvec, uint vlen, int flags);

    /// <summary>struct tcp_info of linux/tcp.h, as much of it as is used here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 216)]
    internal struct tcp_info
    {
        [FieldOffset(0)]
        internal byte tcpi_state;
        [FieldOffset(128)]
        internal ulong tcpi_bytes_received;
        [FieldOffset(140)]
        internal uint tcpi_segs_in;
        [FieldOffset(200)]
        internal ulong tcpi_bytes_sent;
        [FieldOffset(208)]
        internal ulong tcpi_bytes_retrans;
    }

    /// <summary>struct iovec.</summary>
    internal struct IoVector
    {
        internal byte* Base;
        internal nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    internal struct MessageHeader
    {
        internal byte* Name;
        internal uint NameLength;
        internal IoVector* Vectors;
        internal nuint VectorCount;
        internal byte* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    /// <summary>struct mmsghdr.</summary>
    internal struct MultiMessageHeader
    {
        internal MessageHeader Header;
        internal uint Length;
    }

    /// <summary>struct cmsghdr; its data follows, and the next header at a multiple of eight bytes.</summary>
    internal struct ControlHeader
    {
        internal nuint Length;
        internal int Level;
        internal int Type;
    }

    internal readonly record struct sock_filter(ushort code, byte jt, byte jf, uint k);

    internal struct sock_fprog
    {
        internal ushort len;
        internal sock_filter* filter;
    }
}
