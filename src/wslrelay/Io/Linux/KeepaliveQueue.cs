namespace Wslrelay.Io.Linux;

/// <summary>
/// Turns on keepalive for connections to targets, one to two seconds after they were made: a shorter one is spared the call, an accepted one has
/// inherited it. Holds tokens, so that it keeps no closed socket in memory. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class KeepaliveQueue(EpollTokens tokens, int idleSeconds)
{
    private const int PeriodMilliseconds = 1000;

    private readonly Queue<ulong> _waiting = new();
    private int _dueCount;
    private long _nextRun;

    internal bool IsEmpty => _waiting.Count == 0;

    /// <summary>Milliseconds until the next <see cref="Run"/>; only while it is not empty.</summary>
    internal int Timeout => (int)Math.Max(0, _nextRun - Environment.TickCount64);

    internal void Add(EpollHandle socket)
    {
        if (IsEmpty)
            _nextRun = Environment.TickCount64 + PeriodMilliseconds;

        _waiting.Enqueue(socket.Token);
    }

    /// <summary>Once a period, handles the connections that were added before the previous run.</summary>
    internal void Run()
    {
        if (IsEmpty)
            return;

        long now = Environment.TickCount64;
        if (now < _nextRun)
            return;

        _nextRun = now + PeriodMilliseconds;
        for (; _dueCount > 0; _dueCount--)
        {
            if (tokens.Find(_waiting.Dequeue()) is { } socket)
                TcpOptions.EnableKeepalive(socket, idleSeconds);
        }

        _dueCount = _waiting.Count;
    }
}
