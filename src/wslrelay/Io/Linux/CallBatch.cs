using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Where many sockets have something to do at once, gathers their receives, sends and closes, and has the kernel make them in one call at the end
/// of the turn. Each operation gets its result as a wake-up, from the wait that follows. Where little happens, or no ring is to be had, nothing is gathered, and each
/// makes its calls itself. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class CallBatch(CallMode mode) : IDisposable
{
    /// <summary>Calls that are made together at the most.</summary>
    internal const int Capacity = 64;

    // With fewer the detour costs more than it saves.
    private const int MinBatch = 4;

    private readonly int _minBatch = mode == CallMode.Ring ? 1 : MinBatch;
    private readonly SystemCall[] _calls = new SystemCall[Capacity];
    private readonly int[] _results = new int[Capacity];
    private readonly IoEvent[] _completions = new IoEvent[Capacity];

    // From the start, so that a process that has connections has no more descriptors than its connections take.
    private CallRing? _ring = mode == CallMode.Single ? null : CallRing.TryCreate(Capacity);
    private int _queuedCount;
    private int _completedCount;
    private int _drainedCount;

    /// <summary>Results that are to be told.</summary>
    internal bool HasResults => _drainedCount < _completedCount;

    /// <summary>Whether much happens at once just now.</summary>
    internal bool IsBatching { get; private set; }

    /// <summary>Whether calls can be made together.</summary>
    internal bool HasRing => _ring is not null;

    /// <summary>Runs of the ring so far.</summary>
    internal long RunCount { get; private set; }

    /// <summary>So many wake-ups have come at once, which tells how many calls will.</summary>
    internal void SetExpectedCalls(int wakeUps) => IsBatching = HasRing && wakeUps >= _minBatch;

    /// <summary>
    /// Takes a call to be made with the next <see cref="Execute"/>; the operation, where there is one, is woken with its result. False where it is to be
    /// made at once instead, as always on what is no socket.
    /// </summary>
    internal bool TryAdd(in SystemCall call)
    {
        if (!IsBatching || _queuedCount == Capacity || !call.Socket.IsSocket)
        {
            return false;
        }

        _calls[_queuedCount++] = call;
        return true;
    }

    /// <summary>Makes what was gathered, once all earlier results have been told.</summary>
    internal void Execute()
    {
        if (_queuedCount == 0 || HasResults)
        {
            return;
        }

        Span<SystemCall> calls = _calls.AsSpan(0, _queuedCount);
        _queuedCount = _completedCount = _drainedCount = 0;
        int executed = HasRing && calls.Length >= _minBatch ? RunRing(calls) : 0;
        for (int i = 0; i < calls.Length; i++)
        {
            SystemCall call = calls[i];
            int result = i < executed ? _results[i] : call.Execute();

            // Now, not when the operation hears of it: what the epoll tells meanwhile is newer.
            call.Note(result);
            if (call.Operation is not null)
            {
                _completions[_completedCount++] = new IoEvent(call.Operation, this, (uint)Math.Max(result, 0), Math.Max(-result, 0));
            }
        }

        calls.Clear();
    }

    /// <summary>Tells results, as many as there is room for; returns their number.</summary>
    internal int DrainResults(Span<IoEvent> events)
    {
        int count = Math.Min(_completedCount - _drainedCount, events.Length);
        Span<IoEvent> drained = _completions.AsSpan(_drainedCount, count);
        drained.CopyTo(events);
        drained.Clear();
        _drainedCount += count;
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        IsBatching = false;
        _drainedCount = _completedCount;
        Execute();
        _ring?.Dispose();
        _ring = null;
    }

    private int RunRing(ReadOnlySpan<SystemCall> calls)
    {
        RunCount++;
        int made = _ring!.Run(calls, _results);
        if (made < calls.Length)
        {
            _ring.Dispose();
            _ring = null;
        }

        return made;
    }
}
