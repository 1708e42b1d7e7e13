using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Sockets of the guest's network that came along with a server's (protocol, section 3, <c>"spare"</c>): by one of them the relay connects to the next server
/// itself. They are used only while the agent is there. Of one family, and of one loop, whose thread only.
/// </summary>
internal sealed class SpareSockets(IoLoop loop) : IoTimer
{
    private const int MinCount = 4;
    private const int MaxCount = 64;
    private const int PeriodMilliseconds = 1000;

    // The connection to the agent over which the first of them came, which ends with the agent.
    private IoSocket? _agent;

    // How many of those in front were there when the present period began. They are closed when it ends.
    private int _oldCount;

    // When no more than these are left it is time to ask: clients that come meanwhile find some.
    private int _lowCount;

    // While somebody asks, and where an agent gave none, nobody else asks for a while.
    private long _nextAsk;

    /// <summary>The oldest first. What comes is put here by whoever asks.</summary>
    internal Queue<IoSocket> Sockets { get; } = new();

    /// <summary>How many are asked for: few at first, and twice as many each time until none come, or some are closed without use. A relay that has little to do wastes little.</summary>
    internal int AskedCount { get; private set; }

    internal IoSocket? Take()
    {
        _oldCount = Math.Max(_oldCount - 1, 0);
        return Sockets.TryDequeue(out IoSocket? socket) ? socket : null;
    }

    /// <summary>Whether a client is to go through the agent and ask for more; then <see cref="EndAsking"/> is to follow.</summary>
    internal bool TryBeginAsking()
    {
        long now = Environment.TickCount64;
        if (now < _nextAsk || Sockets.Count > _lowCount)
            return false;

        _nextAsk = now + PeriodMilliseconds;
        AskedCount = Math.Clamp(2 * AskedCount, MinCount, MaxCount);
        return true;
    }

    /// <summary>Some may have come.</summary>
    /// <param name="agent">The connection to the agent, this one's from now on; null where the client has kept it, or has none.</param>
    internal void EndAsking(IoSocket? agent)
    {
        if (_agent is null && Sockets.Count > 0)
            _agent = agent;
        else
            agent?.Close(abort: false);

        if (_agent is null)
        {
            AskedCount = 0;
            CloseAll();
            return;
        }

        _nextAsk = 0;
        _lowCount = Sockets.Count / 2;
        if (Index < 0)
            loop.Timers.Start(this, PeriodMilliseconds);
    }

    /// <summary>Closes them if the agent has ended, or says what it was not asked for.</summary>
    internal void CheckAgent()
    {
        if (_agent is { IsQuiet: false })
            CloseAll();
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
        else
            CloseAll();
    }

    private void CloseAll()
    {
        while (Sockets.TryDequeue(out IoSocket? socket))
            socket.Close(abort: false);

        _agent?.Close(abort: false);
        _agent = null;
        _oldCount = _lowCount = 0;
    }
}
