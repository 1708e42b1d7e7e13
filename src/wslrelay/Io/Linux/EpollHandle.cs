using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// A descriptor that epoll knows: its readiness, as far as edges and calls have told, and who waits for it. A socket, one end of a pipe, or
/// a foreign descriptor that is only watched. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollHandle : IoSocket
{
    /// <summary>The events after which a read finds something: bytes, the end, or an error.</summary>
    internal const uint Arrivals = Libc.EPOLLIN | Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR;

    // One segment on every link in use. On one with smaller segments the last is sent at once too: Linux holds a part of a segment back only while another
    // part is unacknowledged (tcp_minshall_check).
    private const int OneSegment = 500;
    private const int WideSendBuffer = 1 << 20;

    private Fact _facts = Fact.Writable;

    // There are two for each connection, idle or not: a bool would take eight times the memory.
    [Flags]
    private enum Fact : uint
    {
        None = 0,
        OwnsDescriptor = 1 << 0,
        IsSocket = 1 << 1,
        IsConnection = 1 << 2,
        HidesReset = 1 << 3,
        ReadEnded = 1 << 4,
        SendEnded = 1 << 5,
        Readable = 1 << 6,
        Writable = 1 << 7,
        WatchesRoom = 1 << 8,
        Paused = 1 << 9,
        Ended = 1 << 10,
        Broken = 1 << 11,
        HasUrgent = 1 << 12,
        Delays = 1 << 13,
        HasSent = 1 << 14,
        Widened = 1 << 15,
        Released = 1 << 16,
    }

    internal EpollHandle(EpollPort port, nint descriptor, bool isSocket, bool ownsDescriptor = true)
    {
        SetHandle(descriptor);
        Port = port;
        Set(Fact.IsSocket, isSocket);
        Set(Fact.OwnsDescriptor, ownsDescriptor);
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

    /// <summary>Its family shows no reset: a peer that is gone looks like one that has only ended its sending.</summary>
    internal bool HidesReset
    {
        get => Is(Fact.HidesReset);
        init => Set(Fact.HidesReset, value);
    }

    /// <summary>A connection that was accepted or made; false for a listener, a pipe, or what is only watched.</summary>
    internal bool IsConnection
    {
        get => Is(Fact.IsConnection);
        init => Set(Fact.IsConnection, value);
    }

    /// <summary>The port that waits for it.</summary>
    internal EpollPort Port { get; }

    /// <summary>The peer's sending has ended, and all of it was received.</summary>
    internal bool ReadEnded
    {
        get => Is(Fact.ReadEnded);
        set => Set(Fact.ReadEnded, value);
    }

    /// <summary>This side has ended its sending.</summary>
    internal bool SendEnded
    {
        get => Is(Fact.SendEnded);
        private set => Set(Fact.SendEnded, value);
    }

    /// <summary>Sent and received on; a pipe is written and read.</summary>
    internal bool IsSocket => Is(Fact.IsSocket);

    /// <summary>The operation that reads here, from its start to its end.</summary>
    internal IoOperation? Reader { get; set; }

    /// <summary>The operation that writes here, from its start to its end.</summary>
    internal IoOperation? Writer { get; set; }

    /// <summary>A read may find something. False once one came back short or empty-handed.</summary>
    internal bool Readable
    {
        get => Is(Fact.Readable);
        set => Set(Fact.Readable, value);
    }

    /// <summary>A write may find room. False once one came back empty-handed, and while a socket connects.</summary>
    internal bool Writable
    {
        get => Is(Fact.Writable);
        private set => Set(Fact.Writable, value);
    }

    /// <summary>Epoll reports room to write.</summary>
    internal bool WatchesRoom
    {
        get => Is(Fact.WatchesRoom);
        private set => Set(Fact.WatchesRoom, value);
    }

    /// <summary>Epoll reports what has come to be read.</summary>
    internal bool WatchesArrivals => !Is(Fact.Paused);

    /// <summary>The peer has ended its sending, or more: reads go on until they return 0, however short they are.</summary>
    internal bool Ended
    {
        get => Is(Fact.Ended);
        private set => Set(Fact.Ended, value);
    }

    /// <summary>The connection broke, as epoll or a call has told: a read that returns 0 after it is no clean end.</summary>
    internal bool Broken
    {
        get => Is(Fact.Broken);
        private set => Set(Fact.Broken, value);
    }

    /// <summary>Urgent data has come: a read stops before it, and being short tells nothing any more.</summary>
    internal bool HasUrgent
    {
        get => Is(Fact.HasUrgent);
        private set => Set(Fact.HasUrgent, value);
    }

    /// <summary>TCP's, and Nagle's delay (RFC 9293, 3.7.4) has not been turned off yet.</summary>
    internal bool Delays
    {
        get => Is(Fact.Delays);
        set => Set(Fact.Delays, value);
    }

    /// <summary>Its token in epoll; 0 while it is not registered.</summary>
    internal ulong Token { get; set; }

    /// <inheritdoc/>
    public override void Close(bool abort)
    {
        if (Is(Fact.Released))
        {
            return;
        }

        Set(Fact.Released, true);
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
    /// Whether an end that was read or reported is that of a peer which is gone altogether, on a family that <see cref="HidesReset"/>. A send of
    /// nothing tells (unix(7), vsock(7)): EPIPE from a peer that is gone, success from one that still reads.
    /// </summary>
    internal unsafe bool EndIsReset() =>
        HidesReset && !SendEnded && Libc.send(this, null, 0, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT) < 0 && Errno.Last == Errno.EPIPE;

    /// <summary>Takes what epoll reports. Returns whether a blocked writer has something new.</summary>
    internal bool Report(uint events)
    {
        bool wasBlocked = !Writable;
        bool ends = (events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP)) != 0;
        bool broke = (events & Libc.EPOLLERR) != 0 || (ends && EndIsReset());
        Readable |= (events & Arrivals) != 0;
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
        if (!Delays)
        {
            return;
        }

        if (Is(Fact.HasSent) || size > OneSegment)
        {
            // Of a connection that is broken already the send tells.
            TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            Delays = false;
        }

        Set(Fact.HasSent, true);
    }

    /// <summary>
    /// Bulk has filled the send buffer. TCP's grows by itself; a Unix socket's stays at a fifth of a pipe, and what is asked for here is doubled
    /// (socket(7), SO_SNDBUF).
    /// </summary>
    internal void WidenSendBuffer()
    {
        if (HidesReset && !Is(Fact.Widened))
        {
            Set(Fact.Widened, true);
            TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF, WideSendBuffer);
        }
    }

    /// <summary>There is no room to write: epoll is to report it when there is.</summary>
    internal void NoteFull()
    {
        Writable = false;
        if (!WatchesRoom)
        {
            WatchesRoom = true;
            Rewatch();
        }
    }

    /// <summary>
    /// More has come while the reader cannot get rid of what it has. Each segment is an edge, and would wake the loop for nothing: none are reported until
    /// <see cref="ResumeReading"/>.
    /// </summary>
    internal void PauseReading()
    {
        if (!Is(Fact.Paused))
        {
            Set(Fact.Paused, true);
            Rewatch();
        }
    }

    /// <summary>The reader waits for more: epoll is to report it, also what has come in the meantime.</summary>
    internal void ResumeReading()
    {
        if (Is(Fact.Paused))
        {
            Set(Fact.Paused, false);
            Rewatch();
        }
    }

    /// <summary>A call failed: the error that the kernel gives only once is remembered, and a reader hears of it.</summary>
    internal void Break()
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

    private bool Is(Fact fact) => (_facts & fact) != 0;

    private void Set(Fact fact, bool value) => _facts = value ? _facts | fact : _facts & ~fact;

    private void Rewatch()
    {
        if (Token != 0)
        {
            Port.Rewatch(this);
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
    protected override bool ReleaseHandle() => !Is(Fact.OwnsDescriptor) || Libc.close(handle) == 0;
}
