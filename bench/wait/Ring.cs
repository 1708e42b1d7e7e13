using System.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>
/// A few handles of one kind. The event of each, once dispatched, makes that of another happen: as many are under way at any time as were at
/// first, and each goes through the wait. Loop thread only.
/// </summary>
internal sealed class Ring : IDisposable
{
    /// <summary>Handles in a ring.</summary>
    internal const int Members = 16;

    /// <summary>Half of them: a member whose event is made to happen waits for it already.</summary>
    internal const int MostInFlight = Members / 2;

    private const long WarmUpMilliseconds = 300;
    private const long PatienceMilliseconds = 10_000;

    private readonly List<RingMember> _members = [];
    private readonly IoLoop _loop;
    private readonly int _inFlight;
    private readonly Action<string> _failed;
    private readonly ActionTimer _begin;
    private readonly ActionTimer _end;
    private readonly ActionTimer _lost;
    private Action<EventCost>? _measured;
    private TimeSpan _time;
    private long _count;
    private long _began;
    private TimeSpan _processorBefore;
    private EventCost _cost;
    private int _left;
    private bool _isPassing;

    /// <summary>Makes a ring without members.</summary>
    internal Ring(IoLoop loop, int inFlight, Action<string> failed)
    {
        _loop = loop;
        _inFlight = inFlight;
        _failed = failed;
        _begin = new ActionTimer(Begin);
        _end = new ActionTimer(End);
        _lost = new ActionTimer(() => _failed("an event was lost"));
    }

    /// <summary>How many there are yet.</summary>
    internal int Count => _members.Count;

    /// <summary>Takes a member and starts to wait for its event.</summary>
    internal void Add(RingMember member)
    {
        member.Index = _members.Count;
        _members.Add(member);
        _loop.Start(member.Operation);
    }

    /// <summary>Passes events, for a while that does not count, then for the time that does; hands over what one costs.</summary>
    internal void Measure(TimeSpan time, Action<EventCost> measured)
    {
        _time = time;
        _measured = measured;
        _left = _inFlight;
        _isPassing = true;
        _loop.Timers.Start(_begin, WarmUpMilliseconds);
        for (int i = 0; i < _inFlight; i++)
            _members[i].Fire();
    }

    /// <summary>A member's event was dispatched.</summary>
    internal void Completed(RingMember member, IoError error)
    {
        if (error == IoError.Cancelled)
            return;

        if (error != IoError.None || !member.Take())
        {
            _failed($"an event came to nothing: {error}");
            return;
        }

        _count++;
        _loop.Start(member.Operation);
        if (_isPassing)
        {
            _members[(member.Index + _inFlight) % Members].Fire();
        }
        else if (--_left == 0)
        {
            _loop.Timers.Stop(_lost);
            _measured!(_cost);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RingMember member in _members)
            member.Dispose();
    }

    private static TimeSpan ProcessorTime() => Environment.CpuUsage.TotalTime;

    private void Begin()
    {
        _count = 0;
        _processorBefore = ProcessorTime();
        _began = Stopwatch.GetTimestamp();
        _loop.Timers.Start(_end, (long)_time.TotalMilliseconds);
    }

    // What is under way is waited for, so that nothing of this ring is left while another is measured.
    private void End()
    {
        _cost = new EventCost(
            Stopwatch.GetElapsedTime(_began).TotalMicroseconds / _count,
            (ProcessorTime() - _processorBefore).TotalMicroseconds / _count);
        _isPassing = false;
        _loop.Timers.Start(_lost, PatienceMilliseconds);
    }
}
