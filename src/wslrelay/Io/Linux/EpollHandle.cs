using System.Runtime.Versioning;
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

    // Fits into one segment on every link in use. If it does not, its last part is sent at once all the same: Linux delays a partial segment
    // only while another partial segment is unacknowledged (tcp_minshall_check).
    private const int MinSegmentSize = 500;
    private const int WideSendBufferSize = 1 << 20;

    internal EpollHandle(EpollPort port, nint descriptor, bool isSocket, bool ownsDescriptor = true)
    {
        SetHandle(descriptor);
        Port = port;
        Set(Flags.IsSocket, isSocket);
        Set(Flags.OwnsDescriptor, ownsDescriptor);
    }

    public override unsafe int LocalPort
    {
        get
        {
            byte* address = stackalloc byte[SocketAddress.MaxSize];
            uint length = SocketAddress.MaxSize;
            return Libc.getsockname(this, address, &length) == 0 ? (int)SocketAddress.Port(new ReadOnlySpan<byte>(address, (int)length)) : 0;
        }
    }

    public override unsafe uint? PeerCid
    {
        get
        {
            byte* address = stackalloc byte[SocketAddress.MaxSize];
            uint length = SocketAddress.MaxSize;
            return Libc.getpeername(this, address, &length) == 0 ? SocketAddress.Cid(new ReadOnlySpan<byte>(address, (int)length)) : null;
        }
    }

    /// <summary>Whether a TCP socket is connected: neither connecting still nor reset.</summary>
    internal unsafe bool HasPeer
    {
        get
        {
            byte* address = stackalloc byte[SocketAddress.MaxSize];
            uint length = SocketAddress.MaxSize;
            return Libc.getpeername(this, address, &length) == 0;
        }
    }

    /// <summary>
    /// Whether a TCP socket has ever heard of a peer (tcp(7), TCP_INFO): one that was reset has none any more, and yet may hold what it received before.
    /// </summary>
    internal unsafe bool HasReceivedSegments
    {
        get
        {
            // struct tcp_info: tcpi_segs_in.
            const int Offset = 140;
            byte* info = stackalloc byte[Offset + sizeof(uint)];
            uint size = Offset + sizeof(uint);
            return Libc.getsockopt(this, Libc.IPPROTO_TCP, Libc.TCP_INFO, info, &size) == 0 && *(uint*)(info + Offset) > 0;
        }
    }

    /// <summary>Bytes that the kernel took and the peer has not (tcp(7), unix(7), SIOCOUTQ); 0 where the family cannot tell.</summary>
    internal unsafe int UnsentBytes
    {
        get
        {
            int bytes = 0;
            return Libc.ioctl(this, Libc.SIOCOUTQ, &bytes) == 0 ? bytes : 0;
        }
    }

    internal EpollPort Port { get; }

    /// <summary>The operation that reads here; null when none has been started or it has completed.</summary>
    internal IoOperation? Reader { get; set; }

    /// <summary>The operation that writes here; null when none has been started or it has completed.</summary>
    internal IoOperation? Writer { get; set; }

    /// <summary>Its epoll token; 0 while it is not registered.</summary>
    internal ulong Token { get; set; }

    public override void Close(bool abort)
    {
        if (Is(Flags.Closed))
            return;

        Set(Flags.Closed, true);
        if (IsConnection && abort != ResetsOnDeath)
            SetLinger(zero: abort);

        if (!IsConnection)
            Port.RemoveFile(this);

        // A reset is sent at once: whoever is told that the connection is gone may rely on it.
        Port.Release(this, canDefer: IsConnection && !abort);
    }

    // What a listener lingers for, its connections do.
    public override void ResetConnectionsOnDeath()
    {
        SetLinger(zero: true);
        Set(Flags.ResetsOnDeath, true);
    }

    public override bool ShutdownSend()
    {
        SendEnded = true;
        return Libc.shutdown(this, Libc.SHUT_WR) == 0;
    }

    /// <summary>
    /// Whether the peer has closed its socket, not only shut down its sending, on a family that <see cref="HidesResets"/>. A zero-byte send
    /// returns EPIPE if the peer is gone and succeeds if it still reads (unix(7), vsock(7)).
    /// </summary>
    internal unsafe bool IsPeerGone() =>
        HidesResets && !SendEnded && Libc.send(this, null, 0, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT) < 0 && Errno.Last == Errno.EPIPE;

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

    /// <summary>
    /// Called before bytes are sent: sets TCP_NODELAY where this send could be delayed. Nagle's algorithm (RFC 9293, 3.7.4) delays only data
    /// that follows unacknowledged data, so the first segment needs no call, and a connection of one short request is spared it.
    /// </summary>
    internal void PrepareSend(int size)
    {
        if (!NagleEnabled)
            return;

        if (Is(Flags.HasSent) || size > MinSegmentSize)
        {
            // If the connection is broken already, the send reports it.
            TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            NagleEnabled = false;
        }

        Set(Flags.HasSent, true);
    }

    /// <summary>
    /// Called when bulk data has filled the send buffer. TCP's grows by itself; a Unix socket's stays at a fifth of a pipe. The kernel doubles
    /// the size given here (socket(7), SO_SNDBUF).
    /// </summary>
    internal void WidenSendBuffer()
    {
        if (HidesResets && !Is(Flags.SendBufferWidened))
        {
            Set(Flags.SendBufferWidened, true);
            TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF, WideSendBufferSize);
        }
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

    /// <summary>
    /// Stops read events until <see cref="ResumeReading"/>: while the reader is blocked on its receiver, each segment would be an edge and wake
    /// the loop for nothing.
    /// </summary>
    internal void PauseReading()
    {
        if (!Is(Flags.Paused))
        {
            Set(Flags.Paused, true);
            UpdateInterest();
        }
    }

    /// <summary>Requests read events again; epoll reports at once what has arrived meanwhile.</summary>
    internal void ResumeReading()
    {
        if (Is(Flags.Paused))
        {
            Set(Flags.Paused, false);
            UpdateInterest();
        }
    }

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
    internal unsafe int TakeError()
    {
        int error = 0;
        uint size = sizeof(int);
        return Libc.getsockopt(this, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &size) == 0 ? error : Errno.Last;
    }

    /// <summary>Sets an option that the relay works without; a failure is ignored.</summary>
    internal unsafe void TrySetOption(int level, int option, int value) => _ = Libc.setsockopt(this, level, option, &value, sizeof(int));

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

    protected override bool ReleaseHandle() => !Is(Flags.OwnsDescriptor) || Libc.close(handle) == 0;
}
