using System.Net;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>A socket made by this process for one completion port. Owned by the loop thread.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsSocket : IoSocket
{
    private WindowsSocket(CompletionPort port, ushort family, nint socket)
    {
        Port = port;
        Family = family;
        SetHandle(socket);
    }

    public override int LocalPort => GetAddress(ofPeer: false).Port;

    public override IPEndPoint? LocalEndPoint => GetAddress(ofPeer: false).ToEndPoint();

    public override IPEndPoint? RemoteEndPoint => GetAddress(ofPeer: true).ToEndPoint();

    /// <summary>
    /// A connect to a loopback port of the ephemeral range where nothing listens can be given that very port as its own, and then connects to itself (RFC 9293,
    /// simultaneous open).
    /// </summary>
    internal bool IsSelfConnected => Family != AF_HYPERV && GetAddress(ofPeer: false) is { IsEmpty: false } local && local == GetAddress(ofPeer: true);

    public override (long? Received, long? Sent) ByteCounts =>
        TryGetInfo(out TCP_INFO_v0 info) ? ((long)info.BytesIn, (long)(info.BytesOut - Math.Min(info.BytesOut, info.BytesRetrans))) : default;

    /// <summary>Of the loop that has it; another than its listener's until that one has adopted it.</summary>
    internal CompletionPort Port { get; set; }

    internal ushort Family { get; }

    /// <summary>A datagram socket of one peer.</summary>
    internal bool IsConnected { get; private set; }

    /// <summary>A datagram socket at a wildcard address.</summary>
    internal bool ReportsLocalAddress { get; private set; }

    /// <summary>The pump that receives from it, from its start to its end.</summary>
    internal Pump? Reader { get; set; }

    /// <summary>Nothing more is received from it: its end was read, or an error, or its reader has given up.</summary>
    internal bool ReadEnded { get; set; }

    /// <summary>A pump has ended its sending side.</summary>
    internal bool SendEnded { get; set; }

    /// <summary>A call has reported that the connection is broken: an end that is read after that is not a clean one.</summary>
    internal bool Broken { get; set; }

    /// <summary>Bytes that pumps and sends have handed to the kernel.</summary>
    internal ulong SentBytes { get; set; }

    /// <summary>Makes a socket that no child inherits; returns null, and the error, where the system refuses.</summary>
    internal static WindowsSocket? TryCreate(CompletionPort port, ushort family, out int error, bool isDatagram = false)
    {
        if (port.RefuseSockets)
        {
            error = WSAEMFILE;
            return null;
        }

        int protocol = family == AF_HYPERV ? HV_PROTOCOL_RAW : isDatagram ? IPPROTO_UDP : IPPROTO_TCP;
        nint socket = WSASocketW(family, isDatagram ? SOCK_DGRAM : SOCK_STREAM, protocol, null, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        error = ErrorUnless(socket != -1);
        return socket != -1 ? new WindowsSocket(port, family, socket) : null;
    }

    /// <summary>Accepts what waits in the backlog of this listener, which does not block; null where nothing does.</summary>
    internal WindowsSocket? TryAccept()
    {
        nint socket = accept(this, null, null);
        return socket == -1 ? null : new WindowsSocket(Port, Family, socket);
    }

    /// <summary>Starts a receive; returns 0 where it is done, else the error. ERROR_IO_PENDING is one of them.</summary>
    internal int Receive(byte* memory, int length, Kernel32.OVERLAPPED* overlapped)
    {
        var buffer = new WSABUF { len = (uint)length, buf = memory };
        uint flags = 0;
        return ErrorUnless(WSARecv(this, &buffer, 1, null, &flags, overlapped, null) == 0);
    }

    /// <inheritdoc cref="Receive"/>
    internal int Send(byte* memory, int length, Kernel32.OVERLAPPED* overlapped)
    {
        var buffer = new WSABUF { len = (uint)length, buf = memory };
        return ErrorUnless(WSASend(this, &buffer, 1, null, 0, overlapped, null) == 0);
    }

    /// <summary>Ends the sending side; returns the error.</summary>
    internal int EndSending() => ErrorUnless(shutdown(this, SD_SEND) == 0);

    /// <summary>Sets an option of 32 bits; returns the error.</summary>
    internal int Set(int level, int option, int value) => ErrorUnless(setsockopt(this, level, option, &value, sizeof(int)) == 0);

    /// <summary>Binds; returns the error.</summary>
    internal int Bind(in IoEndpoint endpoint)
    {
        Span<byte> name = stackalloc byte[SocketAddress.MaxLength];
        int length = SocketAddress.Encode(endpoint, name);
        return ErrorUnless(bind(this, name, length) == 0);
    }

    /// <summary>Connects a datagram socket; returns the error.</summary>
    internal int Connect(in IoEndpoint endpoint)
    {
        Span<byte> name = stackalloc byte[SocketAddress.MaxLength];
        int length = SocketAddress.Encode(endpoint, name);
        IsConnected = true;
        return ErrorUnless(connect(this, name, length) == 0);
    }

    /// <summary>
    /// Lets the calls of a datagram socket return at once, and, where it has many peers, not fail for an ICMP error about one of them; returns the error.
    /// </summary>
    internal int PrepareDatagrams(bool isWildcard)
    {
        const int ReceiveBufferSize = 1 << 20;
        uint isNonBlocking = 1;
        int error = ErrorUnless(ioctlsocket(this, FIONBIO, ref isNonBlocking) == 0);
        if (error != 0 || IsConnected)
            return error;

        uint off = 0;
        uint returned;
        _ = WSAIoctl(this, SIO_UDP_CONNRESET, &off, sizeof(uint), null, 0, &returned, null, null);
        _ = WSAIoctl(this, SIO_UDP_NETRESET, &off, sizeof(uint), null, 0, &returned, null, null);
        _ = Set(SOL_SOCKET, SO_RCVBUF, ReceiveBufferSize);
        ReportsLocalAddress = isWildcard;
        return isWildcard ? Set(Family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, IP_PKTINFO, 1) : 0;
    }

    /// <summary>Binds to the family's wildcard address; returns the error.</summary>
    internal int BindWildcard(int number = 0)
    {
        Span<byte> name = stackalloc byte[SocketAddress.MaxLength];
        int length = SocketAddress.EncodeWildcard(Family, number, name);
        return ErrorUnless(bind(this, name, length) == 0);
    }

    /// <summary>Sets the options of a TCP connection; the relay works without them, so failures are ignored.</summary>
    internal void SetConnectionOptions()
    {
        _ = Set(IPPROTO_TCP, TCP_NODELAY, 1);
        _ = Set(SOL_SOCKET, SO_KEEPALIVE, 1);
        if (Port.KeepaliveSeconds > 0)
            _ = Set(IPPROTO_TCP, TCP_KEEPIDLE, Port.KeepaliveSeconds);
    }

    /// <summary>How many of <see cref="SentBytes"/> the peer has acknowledged; null where the system does not tell.</summary>
    internal ulong? GetAcknowledgedBytes()
    {
        if (!TryGetInfo(out TCP_INFO_v0 info))
            return null;

        ulong unacknowledged = (ulong)info.BytesRetrans + info.BytesInFlight;
        return info.BytesOut - Math.Min(info.BytesOut, unacknowledged);
    }

    public override bool ShutdownSend() => EndSending() == 0;

    public override void Close(bool abort)
    {
        if (IsClosed)
            return;

        if (abort && Family != AF_HYPERV)
        {
            var linger = new LINGER { l_onoff = 1, l_linger = 0 };
            _ = setsockopt(this, SOL_SOCKET, SO_LINGER, &linger, sizeof(LINGER));
        }

        Dispose();
        Port.OnSocketClosed();
    }

    private InternetAddress GetAddress(bool ofPeer)
    {
        Span<byte> name = stackalloc byte[SocketAddress.MaxLength];
        int length = name.Length;
        int error = ofPeer ? getpeername(this, name, ref length) : getsockname(this, name, ref length);
        return error == 0 ? SocketAddress.Read(name) : default;
    }

    private bool TryGetInfo(out TCP_INFO_v0 info)
    {
        uint version = 0;
        uint returned;
        fixed (TCP_INFO_v0* memory = &info)
        {
            return WSAIoctl(this, SIO_TCP_INFO, &version, sizeof(uint), memory, (uint)sizeof(TCP_INFO_v0), &returned, null, null) == 0
                && returned >= sizeof(TCP_INFO_v0);
        }
    }

    protected override bool ReleaseHandle()
    {
        // Nothing should be pending by now; where something is, its packet must come before the socket goes.
        _ = Kernel32.CancelIoEx(handle, null);
        return closesocket(handle) == 0;
    }
}
