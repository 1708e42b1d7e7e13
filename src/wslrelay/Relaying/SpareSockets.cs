using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Sockets of the guest's network that came along with a server's (protocol, section 3, <c>"spare"</c>): by one of them the relay connects to the next server
/// itself. Of one family, and of one loop, whose thread only.
/// </summary>
internal sealed class SpareSockets(IoLoop loop) : IoTimer
{
    private const int MinCount = 4;
    private const int MaxCount = 64;
    private const int PeriodMilliseconds = 1000;

    // How many of those in front were there when the present period began. They are closed when it ends.
    private int _oldCount;

    // When no more than these are left it is time to ask: clients that come meanwhile find some.
    private int _lowCount;
    private bool _isAsking;

    /// <summary>The oldest first. What comes is put here by whoever asks.</summary>
    internal Queue<IoSocket> Sockets { get; } = new();

    /// <summary>How many are asked for: few at first, and twice as many each time until none come, or some are closed without use. A relay that has little to do wastes little.</summary>
    internal int AskedCount { get; private set; }

    internal IoSocket? Take()
    {
        _oldCount = Math.Max(_oldCount - 1, 0);
        return Sockets.TryDequeue(out IoSocket? socket) ? socket : null;
    }

    /// <summary>Whether a client is to go through the agent and ask for more, until <see cref="EndAsking"/>.</summary>
    internal bool TryBeginAsking()
    {
        if (_isAsking || Sockets.Count > _lowCount)
            return false;

        _isAsking = true;
        AskedCount = Math.Clamp(2 * AskedCount, MinCount, MaxCount);
        return true;
    }

    internal void EndAsking()
    {
        _isAsking = false;
        _lowCount = Sockets.Count / 2;
        if (Sockets.Count == 0)
            AskedCount = 0;
        else if (Index < 0)
            loop.Timers.Start(this, PeriodMilliseconds);
    }

    protected internal override void OnExpired()
    {
        if (_oldCount > 0)
            AskedCount = 0;

        for (; _oldCount > 0; _oldCount--)
            Sockets.Dequeue().Close(abort: false);

        _oldCount = Sockets.Count;
        if (_oldCount > 0)
            loop.Timers.Start(this, PeriodMilliseconds);
    }
}
