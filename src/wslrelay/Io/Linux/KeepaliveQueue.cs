namespace Wslrelay.Io.Linux;

/// <summary>
/// Turns on keepalive for connections to targets, one to two seconds after they were made: a shorter one is spared the call, an accepted one has
/// inherited it. Holds tokens, so that it keeps no closed socket in memory. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class KeepaliveQueue(EpollTokens tokens, IoTimers timers, int idleSeconds) : IoTimer
{
    private const int PeriodMilliseconds = 1000;

    private readonly Queue<ulong> _waiting = new();
    private int _dueCount;

    internal void Add(EpollHandle socket)
    {
        if (_waiting.Count == 0)
            timers.Start(this, PeriodMilliseconds);

        _waiting.Enqueue(socket.Token);
    }

    // Handles the connections that were added before the previous period ended.
    protected internal override void OnExpired()
    {
        for (; _dueCount > 0; _dueCount--)
        {
            if (tokens.Find(_waiting.Dequeue()) is { } socket)
                TcpOptions.EnableKeepalive(socket, idleSeconds);
        }

        _dueCount = _waiting.Count;
        if (_dueCount > 0)
            timers.Start(this, PeriodMilliseconds);
    }
}
