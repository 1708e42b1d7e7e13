namespace Wslrelay.Io.Linux;

// What is so of a descriptor or not, for good or for now.
internal sealed partial class EpollHandle
{
    private Flags _flags = Flags.Writable;

    // There are two for each connection, idle or not: a bool would take eight times the memory.
    [Flags]
    private enum Flags : uint
    {
        None = 0,
        OwnsDescriptor = 1 << 0,
        IsSocket = 1 << 1,
        IsConnection = 1 << 2,
        HidesResets = 1 << 3,
        ReadEnded = 1 << 4,
        SendEnded = 1 << 5,
        Readable = 1 << 6,
        Writable = 1 << 7,
        WantsWritable = 1 << 8,
        Paused = 1 << 9,
        Ended = 1 << 10,
        Broken = 1 << 11,
        HasUrgent = 1 << 12,
        NagleEnabled = 1 << 13,
        HasSent = 1 << 14,
        SendBufferWidened = 1 << 15,
        Closed = 1 << 16,
    }

    /// <summary>Its family shows no reset: a peer that is gone looks like one that has only ended its sending.</summary>
    internal bool HidesResets
    {
        get => Is(Flags.HidesResets);
        init => Set(Flags.HidesResets, value);
    }

    /// <summary>A connection that was accepted or made; false for a listener, a pipe, or what is only watched.</summary>
    internal bool IsConnection
    {
        get => Is(Flags.IsConnection);
        init => Set(Flags.IsConnection, value);
    }

    /// <summary>The peer's sending has ended, and all of it was received.</summary>
    internal bool ReadEnded
    {
        get => Is(Flags.ReadEnded);
        set => Set(Flags.ReadEnded, value);
    }

    /// <summary>This side has ended its sending.</summary>
    internal bool SendEnded
    {
        get => Is(Flags.SendEnded);
        private set => Set(Flags.SendEnded, value);
    }

    /// <summary>Sent and received on; a pipe is written and read.</summary>
    internal bool IsSocket => Is(Flags.IsSocket);

    /// <summary>A read may find something. False once one came back short or empty-handed.</summary>
    internal bool Readable
    {
        get => Is(Flags.Readable);
        set => Set(Flags.Readable, value);
    }

    /// <summary>A write may find room. False once one came back empty-handed, and while a socket connects.</summary>
    internal bool Writable
    {
        get => Is(Flags.Writable);
        private set => Set(Flags.Writable, value);
    }

    /// <summary>Epoll reports room to write.</summary>
    internal bool WantsWritable
    {
        get => Is(Flags.WantsWritable);
        private set => Set(Flags.WantsWritable, value);
    }

    /// <summary>Epoll reports what has come to be read.</summary>
    internal bool WantsReadable => !Is(Flags.Paused);

    /// <summary>The peer has ended its sending, or more: reads go on until they return 0, however short they are.</summary>
    internal bool Ended
    {
        get => Is(Flags.Ended);
        private set => Set(Flags.Ended, value);
    }

    /// <summary>The connection broke, as epoll or a call has told: a read that returns 0 after it is no clean end.</summary>
    internal bool Broken
    {
        get => Is(Flags.Broken);
        private set => Set(Flags.Broken, value);
    }

    /// <summary>Urgent data has come: a read stops before it, and being short tells nothing any more.</summary>
    internal bool HasUrgent
    {
        get => Is(Flags.HasUrgent);
        private set => Set(Flags.HasUrgent, value);
    }

    /// <summary>TCP's, and Nagle's delay (RFC 9293, 3.7.4) has not been turned off yet.</summary>
    internal bool NagleEnabled
    {
        get => Is(Flags.NagleEnabled);
        set => Set(Flags.NagleEnabled, value);
    }

    private bool Is(Flags flag) => (_flags & flag) != 0;

    private void Set(Flags flag, bool value) => _flags = value ? _flags | flag : _flags & ~flag;
}
