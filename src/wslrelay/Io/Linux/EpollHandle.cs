using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// A descriptor that epoll knows: its readiness, as far as edges and calls have told, and who waits for it. A socket, one end of a pipe, or
/// a foreign descriptor that is only watched. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class EpollHandle : IoSocket
{
    /// <summary>The events after which a read finds something: bytes, the end, or an error.</summary>
    internal const uint ReadEvents = Libc.EPOLLIN | Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR;

    // One segment on every link in use. On one with smaller segments the last is sent at once too: Linux holds a part of a segment back only while another
    // part is unacknowledged (tcp_minshall_check).
    private const int MinSegmentSize = 500;
    private const int WideSendBufferSize = 1 << 20;

    internal EpollHandle(EpollPort port, nint descriptor, bool isSocket, bool ownsDescriptor = true)
    {
        SetHandle(descriptor);
        Port = port;
        Set(Flags.IsSocket, isSocket);
        Set(Flags.OwnsDescriptor, ownsDescriptor);
    }

    /// <inheritdoc/>
    public override unsafe int LocalPort
    {
        get
        {
            byte* address = stackalloc byte[SocketAddress.MaxSize];
            uint length = SocketAddress.MaxSize;
            return Libc.getsockname(this, address, &length) == 0 ? (int)SocketAddress.Port(new ReadOnlySpan<byte>(address, (int)length)) : 0;
        }
    }

    /// <inheritdoc/>
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

    /// <summary>Bytes that the kernel took and the peer has not (tcp(7), unix(7), SIOCOUTQ); 0 where the family cannot tell.</summary>
    internal unsafe int UnsentBytes
    {
        get
        {
            int bytes = 0;
            return Libc.ioctl(this, Libc.SIOCOUTQ, &bytes) == 0 ? bytes : 0;
        }
    }

    /// <summary>The port that waits for it.</summary>
    internal EpollPort Port { get; }

    /// <summary>The operation that reads here, from its start to its end.</summary>
    internal IoOperation? Reader { get; set; }

    /// <summary>The operation that writes here, from its start to its end.</summary>
    internal IoOperation? Writer { get; set; }

    /// <summary>Its token in epoll; 0 while it is not registered.</summary>
    internal ulong Token { get; set; }

    /// <inheritdoc/>
    public override void Close(bool abort)
    {
        if (Is(Flags.Closed))
        {
            return;
        }

        Set(Flags.Closed, true);
        if (abort && IsSocket)
        {
            SetLingerZero();
        }

        if (!IsConnection)
        {
            Port.RemoveFile(this);
        }

        // A reset is promised to have been sent where its connection is said to be gone.
        Port.Release(this, canWait: IsConnection && !abort);
    }

    /// <inheritdoc/>
    public override bool ShutdownSend()
    {
        SendEnded = true;
        return Libc.shutdown(this, Libc.SHUT_WR) == 0;
    }

    /// <summary>
    /// Whether an end that was read or reported is that of a peer which is gone altogether, on a family that <see cref="HidesResets"/>. A send of
    /// nothing tells (unix(7), vsock(7)): EPIPE from a peer that is gone, success from one that still reads.
    /// </summary>
    internal unsafe bool IsPeerGone() =>
        HidesResets && !SendEnded && Libc.send(this, null, 0, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT) < 0 && Errno.Last == Errno.EPIPE;

    /// <summary>Takes what epoll reports. Returns whether a blocked writer has something new.</summary>
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
    /// So many bytes are about to be sent. Only what follows unacknowledged bytes is delayed, so the first segment goes at once as it is: a connection
    /// that carries one short request is spared the call.
    /// </summary>
    internal void PrepareSend(int size)
    {
        if (!NagleEnabled)
        {
            return;
        }

        if (Is(Flags.HasSent) || size > MinSegmentSize)
        {
            // Of a connection that is broken already the send tells.
            TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            NagleEnabled = false;
        }

        Set(Flags.HasSent, true);
    }

    /// <summary>
    /// Bulk has filled the send buffer. TCP's grows by itself; a Unix socket's stays at a fifth of a pipe, and what is asked for here is doubled
    /// (socket(7), SO_SNDBUF).
    /// </summary>
    internal void WidenSendBuffer()
    {
        if (HidesResets && !Is(Flags.SendBufferWidened))
        {
            Set(Flags.SendBufferWidened, true);
            TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF, WideSendBufferSize);
        }
    }

    /// <summary>There is no room to write: epoll is to report it when there is.</summary>
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
    /// More has come while the reader cannot get rid of what it has. Each segment is an edge, and would wake the loop for nothing: none are reported until
    /// <see cref="ResumeReading"/>.
    /// </summary>
    internal void PauseReading()
    {
        if (!Is(Flags.Paused))
        {
            Set(Flags.Paused, true);
            UpdateInterest();
        }
    }

    /// <summary>The reader waits for more: epoll is to report it, also what has come in the meantime.</summary>
    internal void ResumeReading()
    {
        if (Is(Flags.Paused))
        {
            Set(Flags.Paused, false);
            UpdateInterest();
        }
    }

    /// <summary>A call failed: the error that the kernel gives only once is remembered, and a reader hears of it.</summary>
    internal void MarkBroken()
    {
        Broken = Ended = Readable = true;
        if (Reader is not null)
        {
            Port.WakeOperation(Reader);
        }
    }

    /// <summary>The pending error of a socket, which the call takes away; 0 if there is none.</summary>
    internal unsafe int TakeError()
    {
        int error = 0;
        uint size = sizeof(int);
        return Libc.getsockopt(this, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &size) == 0 ? error : Errno.Last;
    }

    private void UpdateInterest()
    {
        if (Token != 0)
        {
            Port.UpdateInterest(this);
        }
    }

    // What is only faster: a system that refuses it loses nothing else.
    private unsafe void TrySetOption(int level, int option, int value) => _ = Libc.setsockopt(this, level, option, &value, sizeof(int));

    // Makes the coming close a reset (socket(7), SO_LINGER with a time of zero).
    private unsafe void SetLingerZero()
    {
        long onForZeroSeconds = 1;
        _ = Libc.setsockopt(this, Libc.SOL_SOCKET, Libc.SO_LINGER, &onForZeroSeconds, sizeof(long));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => !Is(Flags.OwnsDescriptor) || Libc.close(handle) == 0;
}
