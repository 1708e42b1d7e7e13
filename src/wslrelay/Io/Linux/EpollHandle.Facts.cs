namespace Wslrelay.Io.Linux;

// What is so of a descriptor or not, for good or for now.
internal sealed partial class EpollHandle
{
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

    private bool Is(Fact fact) => (_facts & fact) != 0;

    private void Set(Fact fact, bool value) => _facts = value ? _facts | fact : _facts & ~fact;
}
