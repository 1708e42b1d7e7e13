namespace Wslrelay.Io.Linux;

// Descriptor state flags; some permanent, some transient.
internal sealed partial class EpollHandle
{
    private Flags _flags = Flags.Writable;

    // Every connection has two handles, idle or not: a bool each would take eight times the memory.
    [Flags]
    private enum Flags : uint
    {
        None = 0,
        IsSocket = 1 << 0,
        IsConnection = 1 << 1,
        HidesResets = 1 << 2,
        ReadEnded = 1 << 3,
        SendEnded = 1 << 4,
        Readable = 1 << 5,
        Writable = 1 << 6,
        WantsWritable = 1 << 7,
        Paused = 1 << 8,
        Ended = 1 << 9,
        Broken = 1 << 10,
        HasUrgent = 1 << 11,
        NagleEnabled = 1 << 12,
        HasSent = 1 << 13,
        SendBufferWidened = 1 << 14,
        Closed = 1 << 15,
        ResetsOnDeath = 1 << 16,
        IsOfFlow = 1 << 17,
    }

    /// <summary>True for a socket (send, recv), false for a pipe (write, read).</summary>
    internal bool IsSocket => Is(Flags.IsSocket);

    /// <summary>An accepted or connected socket; false for a listener, a pipe or a watched descriptor.</summary>
    internal bool IsConnection { get => Is(Flags.IsConnection); init => Set(Flags.IsConnection, value); }

    /// <summary>A socket towards the server or agent of a flow of datagrams.</summary>
    internal bool IsOfFlow { get => Is(Flags.IsOfFlow); init => Set(Flags.IsOfFlow, value); }

    /// <summary>The address family has no reset: a peer that is gone looks like one that has shut down its sending.</summary>
    internal bool HidesResets { get => Is(Flags.HidesResets); init => Set(Flags.HidesResets, value); }

    /// <summary>The end of the stream was received.</summary>
    internal bool ReadEnded { get => Is(Flags.ReadEnded); set => Set(Flags.ReadEnded, value); }

    /// <summary>This side has shut down its sending.</summary>
    internal bool SendEnded { get => Is(Flags.SendEnded); private set => Set(Flags.SendEnded, value); }

    /// <summary>Linger is preset to zero, so that the kernel resets the connection if this process dies; an orderly close clears it.</summary>
    internal bool ResetsOnDeath { get => Is(Flags.ResetsOnDeath); init => Set(Flags.ResetsOnDeath, value); }

    /// <summary>A read may succeed. False once one was short or returned EAGAIN.</summary>
    internal bool Readable { get => Is(Flags.Readable); set => Set(Flags.Readable, value); }

    /// <summary>A write may succeed. False once one returned EAGAIN, and while a socket connects.</summary>
    internal bool Writable { get => Is(Flags.Writable); private set => Set(Flags.Writable, value); }

    /// <summary>Epoll reports when the send buffer has room.</summary>
    internal bool WantsWritable { get => Is(Flags.WantsWritable); private set => Set(Flags.WantsWritable, value); }

    /// <summary>Epoll reports new data.</summary>
    internal bool WantsReadable => !Is(Flags.Paused);

    /// <summary>The peer has shut down its sending, or closed: reads continue until one returns 0, even after a short one.</summary>
    internal bool Ended { get => Is(Flags.Ended); private set => Set(Flags.Ended, value); }

    public override bool HasEnded => Ended;

    /// <summary>Epoll or a call has reported an error: a read that returns 0 afterwards is not a clean end.</summary>
    internal bool Broken { get => Is(Flags.Broken); private set => Set(Flags.Broken, value); }

    /// <summary>Urgent data has arrived: recv stops before it, so a short read no longer means that the socket is drained.</summary>
    internal bool HasUrgent { get => Is(Flags.HasUrgent); private set => Set(Flags.HasUrgent, value); }

    /// <summary>A TCP socket whose TCP_NODELAY has not been set yet.</summary>
    internal bool NagleEnabled { get => Is(Flags.NagleEnabled); set => Set(Flags.NagleEnabled, value); }

    private bool Is(Flags flag) => (_flags & flag) != 0;

    private void Set(Flags flag, bool value) => _flags = value ? _flags | flag : _flags & ~flag;
}
