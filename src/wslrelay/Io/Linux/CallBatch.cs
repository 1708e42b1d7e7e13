namespace Wslrelay.Io.Linux;

/// <summary>Set by <c>WSLRELAY_CALLS</c>, for tests, for troubleshooting, and for sandboxes that kill a process that calls io_uring_setup.</summary>
internal enum CallMode
{
    /// <summary>Batched in turns with many wake-ups, else one by one.</summary>
    Adaptive,

    /// <summary>Always one by one; no ring is created.</summary>
    Single,

    Ring,
}

/// <summary>
/// Collects receives, sends and closes, and makes them in one io_uring call at the start of the next wait, which returns each result as a wake-up
/// of its operation. With few wake-ups, or without a ring, each operation makes its own calls. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class CallBatch(CallMode mode) : IDisposable
{
    internal const int Capacity = 64;

    // With fewer calls a batch costs more than it saves.
    private const int MinBatch = 4;

    private readonly int _minBatch = mode == CallMode.Ring ? 1 : MinBatch;
    private readonly SystemCall[] _queued = new SystemCall[Capacity];
    private readonly int[] _results = new int[Capacity];

    // From the start, so that the number of open descriptors depends on the connections alone.
    private CallRing? _ring = mode == CallMode.Single ? null : CallRing.TryCreate(Capacity);
    private int _queuedCount;

    internal bool HasQueued => _queuedCount > 0;

    /// <summary>Calls are collected in this turn.</summary>
    internal bool IsBatching { get; private set; }

    internal bool HasRing => _ring is not null;

    internal long RunCount { get; private set; }

    /// <summary>Sets the number of wake-ups in this turn, an estimate of the calls that will follow.</summary>
    internal void SetExpectedCalls(int wakeUps) => IsBatching = HasRing && wakeUps >= _minBatch;

    /// <summary>Queues a call. False if the caller has to make it at once, as always on a descriptor that is not a socket.</summary>
    internal bool TryAdd(in SystemCall call)
    {
        if (!IsBatching || _queuedCount == Capacity || !call.Socket.IsSocket)
            return false;

        _queued[_queuedCount++] = call;
        return true;
    }

    /// <summary>Makes as many of the queued calls as there is room for results. Returns the number of results.</summary>
    internal int Execute(Span<IoEvent> events)
    {
        Span<SystemCall> calls = _queued.AsSpan(0, Math.Min(_queuedCount, events.Length));
        int batched = calls.Length >= _minBatch && HasRing ? RunRing(calls) : 0;
        int count = 0;
        for (int i = 0; i < calls.Length; i++)
        {
            SystemCall call = calls[i];
            int result = i < batched ? _results[i] : call.Execute();
            if (i < batched)
            {
                // Here and not when the operation is woken: what epoll reports next is newer.
                call.ApplyResult(result);
            }

            if (call.Operation is not null)
                events[count++] = new IoEvent(call.Operation, this, (uint)Math.Max(result, 0), Math.Max(-result, 0));
        }

        Span<SystemCall> rest = _queued.AsSpan(calls.Length, _queuedCount - calls.Length);
        rest.CopyTo(_queued);
        _queued.AsSpan(rest.Length, calls.Length).Clear();
        _queuedCount = rest.Length;
        return count;
    }

    public void Dispose()
    {
        IsBatching = false;
        _ = Execute(new IoEvent[Capacity]);
        _ring?.Dispose();
        _ring = null;
    }

    private int RunRing(ReadOnlySpan<SystemCall> calls)
    {
        RunCount++;
        int count = _ring!.Run(calls, _results);
        if (count < calls.Length)
        {
            _ring.Dispose();
            _ring = null;
        }

        return count;
    }
}
