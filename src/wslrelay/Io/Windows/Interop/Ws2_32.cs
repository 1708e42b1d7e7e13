using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>ws2_32.dll: sockets. Of an overlapped transfer zero (done) and WSA_IO_PENDING both mean that one packet comes.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Ws2_32
{
    internal const ushort AF_INET = 2;
    internal const ushort AF_INET6 = 23;
    internal const ushort AF_HYPERV = 34;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int IPPROTO_IP = 0;
    internal const int IPPROTO_TCP = 6;
    internal const int IPPROTO_UDP = 17;
    internal const int IPPROTO_IPV6 = 41;
    internal const int HV_PROTOCOL_RAW = 1;

    internal const uint WSA_FLAG_OVERLAPPED = 0x01;
    internal const uint WSA_FLAG_NO_HANDLE_INHERIT = 0x80;

    internal const int SOL_SOCKET = 0xFFFF;
    internal const int SO_KEEPALIVE = 0x0008;
    internal const int SO_RCVBUF = 0x1002;
    internal const int SO_LINGER = 0x0080;
    internal const int SO_EXCLUSIVEADDRUSE = -5; // ~SO_REUSEADDR
    internal const int SO_UPDATE_ACCEPT_CONTEXT = 0x700B;
    internal const int SO_UPDATE_CONNECT_CONTEXT = 0x7010;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_KEEPIDLE = 3;
    internal const int IP_PKTINFO = 19; // and IPV6_PKTINFO
    internal const int IPV6_V6ONLY = 27;
    internal const int HVSOCKET_CONNECT_TIMEOUT = 0x01;
    internal const int HVSOCKET_CONNECTED_SUSPEND = 0x04;

    internal const int SOMAXCONN = 0x7FFFFFFF;
    internal const int SD_SEND = 1;

    internal const uint FIONBIO = 0x8004667E;
    internal const uint SIO_UDP_CONNRESET = 0x9800000C;
    internal const uint SIO_UDP_NETRESET = 0x9800000F;
    internal const uint SIO_TCP_INFO = 0xD8000027;
    internal const uint SIO_GET_EXTENSION_FUNCTION_POINTER = 0xC8000006;
    internal const uint SIO_TCP_INITIAL_RTO = 0x98000011;
    internal const ushort TCP_INITIAL_RTO_UNSPECIFIED_RTT = 0xFFFF;
    internal const byte TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS = 0xFE;

    [LibraryImport("ws2_32")]
    internal static partial int WSAStartup(ushort wVersionRequested, byte* lpWSAData);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial nint WSASocketW(int af, int type, int protocol, void* lpProtocolInfo, uint g, uint dwFlags);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int closesocket(nint s);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int bind(SafeHandle s, ReadOnlySpan<byte> name, int namelen);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int listen(SafeHandle s, int backlog);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int connect(SafeHandle s, ReadOnlySpan<byte> name, int namelen);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSASendMsg(SafeHandle s, WSAMSG* lpMsg, uint dwFlags, uint* lpNumberOfBytesSent, void* lpOverlapped, void* lpCompletionRoutine);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial nint accept(SafeHandle s, byte* addr, int* addrlen);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int ioctlsocket(SafeHandle s, uint cmd, ref uint argp);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int shutdown(SafeHandle s, int how);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int getsockname(SafeHandle s, Span<byte> name, ref int namelen);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int getpeername(SafeHandle s, Span<byte> name, ref int namelen);
    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int setsockopt(SafeHandle s, int level, int optname, void* optval, int optlen);

    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSAIoctl(
        SafeHandle s, uint dwIoControlCode, void* lpvInBuffer, uint cbInBuffer, void* lpvOutBuffer, uint cbOutBuffer,
        uint* lpcbBytesReturned, void* lpOverlapped, void* lpCompletionRoutine);

    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSARecv(
        SafeHandle s, WSABUF* lpBuffers, uint dwBufferCount, uint* lpNumberOfBytesRecvd, uint* lpFlags,
        Kernel32.OVERLAPPED* lpOverlapped, void* lpCompletionRoutine);

    [LibraryImport("ws2_32", SetLastError = true)]
    internal static partial int WSASend(
        SafeHandle s, WSABUF* lpBuffers, uint dwBufferCount, uint* lpNumberOfBytesSent, uint dwFlags,
        Kernel32.OVERLAPPED* lpOverlapped, void* lpCompletionRoutine);

    internal struct WSABUF
    {
        internal uint len;
        internal byte* buf;
    }

    internal struct WSAMSG
    {
        internal byte* name;
        internal int namelen;
        internal WSABUF* lpBuffers;
        internal uint dwBufferCount;
        internal WSABUF Control;
        internal uint dwFlags;
    }

    /// <summary>Its data follows.</summary>
    internal struct WSACMSGHDR
    {
        internal nuint cmsg_len;
        internal int cmsg_level;
        internal int cmsg_type;
    }

    internal struct LINGER
    {
        internal ushort l_onoff, l_linger;
    }

    /// <summary>Windows 10 version 1703 and later.</summary>
    internal struct TCP_INFO_v0
    {
        internal int State;
        internal uint Mss;
        internal ulong ConnectionTimeMs;
        internal byte TimestampsEnabled;
        internal uint RttUs, MinRttUs, BytesInFlight, Cwnd, SndWnd, RcvWnd, RcvBuf;
        internal ulong BytesOut, BytesIn;
        internal uint BytesReordered, BytesRetrans, FastRetrans, DupAcksIn, TimeoutEpisodes;
        internal byte SynRetrans;
    }

    internal struct TCP_INITIAL_RTO_PARAMETERS
    {
        internal ushort Rtt;
        internal byte MaxSynRetransmissions;
    }
}
