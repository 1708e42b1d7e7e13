using System.Net;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// A descriptor registered with epoll: a socket, one end of a pipe, or a foreign descriptor that is only watched. Tracks its readiness,
/// from edges and from the results of calls, and the operations that wait for it. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class EpollHandle : IoSocket
{
    /// <summary>The events after which a read returns bytes, the end of the stream, or an error.</summary>
    internal const uint ReadEvents = Libc.EPOLLIN | Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR;

    internal EpollHandle(EpollPort port, nint descriptor, bool isSocket, bool ownsDescriptor = true)
        : base(ownsDescriptor)
    {
        SetHandle(descriptor);
        Port = port;
        Set(Flags.IsSocket, isSocket);
    }

    public override int LocalPort => GetAddress(ofPeer: false).Port;

    public override IPEndPoint? LocalEndPoint => GetAddress(ofPeer: false).ToEndPoint();

    public override IPEndPoint? RemoteEndPoint => GetAddress(ofPeer: true).ToEndPoint();

    public override uint? PeerCid
    {
        get
        {
            Span<byte> address = stackalloc byte[SocketAddress.MaxSize];
            return TryGetAddress(address, ofPeer: true) ? SocketAddress.Cid(address) : null;
        }
    }

    /// <summary>Whether a TCP socket is connected: neither connecting still nor reset.</summary>
    internal bool HasPeer => TryGetAddress(stackalloc byte[SocketAddress.MaxSize], ofPeer: true);

    /// <summary>
    /// A connect to a loopback port of the ephemeral range where nothing listens can be given that very port as its own. TCP then connects the socket to
    /// itself (RFC 9293, simultaneous open), and a datagram comes back to who sent it. <paramref name="isElsewhere"/>: in another network, whose range is not known.
    /// </summary>
    internal bool IsSelfConnected(in IoEndpoint endpoint, bool isElsewhere = false) =>
        endpoint.IsLoopback && (isElsewhere || TcpOptions.IsEphemeral(endpoint.Port)) && LocalPort == (int)endpoint.Port;

    public override (long? Received, long? Sent) ByteCounts
    {
        get
        {
            if (!TryGetInfo((int)handle, out Libc.tcp_info info, 216))
                return default;

            // The end of the peer's sending counts as a byte received (RFC 9293: FIN has a sequence number); sent are data bytes only.
            bool hasEnd = info.tcpi_state is Libc.TCP_TIME_WAIT or Libc.TCP_CLOSE_WAIT or Libc.TCP_LAST_ACK or Libc.TCP_CLOSING;
            return ((long)info.tcpi_bytes_received - (hasEnd ? 1 : 0), (long)(info.tcpi_bytes_sent - info.tcpi_bytes_retrans));
        }
    }

    /// <summary>Bytes that the kernel took and the peer has not (tcp(7), unix(7), SIOCOUTQ); 0 where the family cannot tell.</summary>
    internal unsafe int UnsentBytes
    {
        get
        {
            int bytes;
            return Libc.ioctl(this, Libc.SIOCOUTQ, &bytes) == 0 ? bytes : 0;
        }
    }

    public override unsafe long DroppedDatagrams
    {
        get
        {
            // sk_meminfo: SK_MEMINFO_DROPS, the last of nine.
            const int Count = 9;
            uint* info = stackalloc uint[Count];
            uint size = Count * sizeof(uint);
            return Libc.getsockopt(this, Libc.SOL_SOCKET, Libc.SO_MEMINFO, info, &size) == 0 ? info[Count - 1] : 0;
        }
    }

    public override unsafe bool IsQuiet
    {
        get
        {
            byte next;
            return Receive(&next, 1) == -Errno.EAGAIN;
        }
    }

    internal EpollPort Port { get; }

    /// <summary>The operation that reads here; null when none runs.</summary>
    internal IoOperation? Reader { get; set; }

    internal IoOperation? Writer { get; set; }

    /// <summary>Of epoll; 0 while it is not registered.</summary>
    internal ulong Token { get; set; }

    public override void Close(bool abort)
    {
        if (Is(Flags.Closed))
            return;

        Set(Flags.Closed, true);
        // Set on every abort: a connection that was made before its listener's linger was preset has not inherited it.
        if (IsConnection && (abort || ResetsOnDeath))
            SetLinger(zero: abort);

        if (!IsConnection)
            Port.RemoveFile(this);

        // A reset is sent at once: whoever gets the report that the connection is gone may rely on it.
        Port.Release(this, canDefer: IsConnection && !abort);
    }

    // Connections inherit the linger time of their listener.
    public override void ResetConnectionsOnDeath()
    {
        SetLinger(zero: true);
        Set(Flags.ResetsOnDeath, true);
    }

    /// <summary>Binds the socket. Returns 0 or an errno.</summary>
    /// <exception cref="IoException">The system has no address for the endpoint.</exception>
    internal int Bind(in IoEndpoint endpoint)
    {
        Span<byte> address = stackalloc byte[SocketAddress.MaxSize];
        int length = SocketAddress.Write(endpoint, address);
        return Libc.bind(this, address, (uint)length) == 0 ? 0 : Errno.Last;
    }

    /// <summary>Connects the socket. Returns 0 or an errno.</summary>
    /// <exception cref="IoException">The system has no address for the endpoint.</exception>
    internal int Connect(in IoEndpoint endpoint)
    {
        Span<byte> address = stackalloc byte[SocketAddress.MaxSize];
        int length = SocketAddress.Write(endpoint, address);
        return Libc.connect(this, address, (uint)length) == 0 ? 0 : Errno.Last;
    }

    public override bool ShutdownSend()
    {
        SendEnded = true;
        return Libc.shutdown(this, Libc.SHUT_WR) == 0;
    }

    /// <summary>Updates the readiness from epoll's events. Returns whether a blocked writer has to be woken.</summary>
    internal bool UpdateReadiness(uint events)
    {
        bool wasBlocked = !Writable;
        bool ends = (events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP)) != 0;
        bool broke = (events & Libc.EPOLLERR) != 0 || (ends && IsPeerGone());
        Readable |= (events & ReadEvents) != 0;
        Writable |= (events & (Libc.EPOLLOUT | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0;
        Ended |= (events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0;
        Broken |= broke;
        HasUrgent |= (events & Libc.EPOLLPRI) != 0;
        return broke || (wasBlocked && Writable);
    }

    /// <summary>The send buffer is full: epoll will report when it has room.</summary>
    internal void MarkNotWritable()
    {
        Writable = false;
        if (!WantsWritable)
        {
            WantsWritable = true;
            UpdateInterest();
        }
    }

    /// <summary>Stops read events: while the reader is blocked on its receiver, each segment would be an edge and wake the loop for nothing.</summary>
    internal void PauseReading() => SetPaused(true);

    /// <summary>Requests read events again; epoll reports at once what has arrived meanwhile.</summary>
    internal void ResumeReading() => SetPaused(false);

    /// <summary>Records that a call failed, since the kernel reports an error only once, and wakes the reader.</summary>
    internal void MarkBroken()
    {
        Broken = Ended = Readable = true;
        if (Reader is not null)
            Port.WakeOperation(Reader);
    }

    /// <summary>An integer option of a socket; -1 if it has none such.</summary>
    internal unsafe int GetOption(int level, int option)
    {
        int value = 0;
        uint size = sizeof(int);
        return Libc.getsockopt(this, level, option, &value, &size) == 0 ? value : -1;
    }

    /// <summary>Fetches and clears the socket's pending error (SO_ERROR); 0 if there is none.</summary>
    internal int TakeError() => GetOption(Libc.SOL_SOCKET, Libc.SO_ERROR);

    /// <summary>Sets an option that the relay works without; a failure is ignored.</summary>
    internal unsafe void TrySetOption(int level, int option, int value) => _ = Libc.setsockopt(this, level, option, &value, sizeof(int));

    private void SetPaused(bool paused)
    {
        if (Is(Flags.Paused) != paused)
        {
            Set(Flags.Paused, paused);
            UpdateInterest();
        }
    }

    private void UpdateInterest()
    {
        if (Token != 0)
            Port.UpdateInterest(this);
    }

    // With a time of zero the next close sends a reset (socket(7), SO_LINGER).
    private unsafe void SetLinger(bool zero)
    {
        long onForZeroSeconds = zero ? 1 : 0;
        _ = Libc.setsockopt(this, Libc.SOL_SOCKET, Libc.SO_LINGER, &onForZeroSeconds, sizeof(long));
    }

    /// <summary>What the kernel knows of a TCP socket (tcp(7), TCP_INFO). Fails where it gives less than <paramref name="size"/> bytes (bytes_sent came with Linux 4.19); those that it does not give are 0.</summary>
    internal static unsafe bool TryGetInfo(int descriptor, out Libc.tcp_info info, uint size)
    {
        uint returned = (uint)sizeof(Libc.tcp_info);
        info = default;
        fixed (Libc.tcp_info* memory = &info)
        {
            return Libc.getsockopt(descriptor, Libc.IPPROTO_TCP, Libc.TCP_INFO, memory, &returned) == 0 && returned >= size;
        }
    }

    private InternetAddress GetAddress(bool ofPeer)
    {
        Span<byte> address = stackalloc byte[SocketAddress.MaxSize];
        return TryGetAddress(address, ofPeer) ? SocketAddress.Read(address) : default;
    }

    private bool TryGetAddress(Span<byte> address, bool ofPeer)
    {
        uint length = (uint)address.Length;
        return (ofPeer ? Libc.getpeername(this, address, ref length) : Libc.getsockname(this, address, ref length)) == 0;
    }

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
