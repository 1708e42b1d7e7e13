namespace Wslrelay.Io;

/// <summary>A deadline on the loop thread. It belongs to <see cref="IoTimers"/> while it runs.</summary>
internal abstract class IoTimer
{
    /// <summary>When it expires, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long Due { get; set; }

    /// <summary>Its index in the heap; -1 while it is not running.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>Called when it expires. It is no longer running, and may be started again.</summary>
    protected internal abstract void OnExpired();
}

/// <summary>A timer that calls an action on the loop thread.</summary>
internal sealed class ActionTimer(Action expired) : IoTimer
{
    protected internal override void OnExpired() => expired();
}

/// <summary>
/// The loop's deadlines: a binary heap in which every timer knows its index, since most are stopped long before they expire. Loop thread only.
/// </summary>
internal sealed class IoTimers
{
    private IoTimer[] _heap = new IoTimer[16];

    public int Count { get; private set; }

    /// <summary>Starts or restarts a timer.</summary>
    public void Start(IoTimer timer, long milliseconds)
    {
        Stop(timer);
        timer.Due = Environment.TickCount64 + milliseconds;
        if (Count == _heap.Length)
            Array.Resize(ref _heap, Count * 2);

        _heap[Count] = timer;
        timer.Index = Count++;
        SiftUp(timer.Index);
    }

    /// <summary>Does nothing if it is not running.</summary>
    public void Stop(IoTimer timer)
    {
        int index = timer.Index;
        if (index < 0)
            return;

        timer.Index = -1;
        IoTimer last = _heap[--Count];
        _heap[Count] = null!;
        if (last != timer)
        {
            _heap[index] = last;
            last.Index = index;
            SiftDown(index);
            SiftUp(last.Index);
        }
    }

    /// <summary>Milliseconds until the next deadline; 0 if one has passed, -1 if there is none.</summary>
    public int NextTimeout() => Count == 0 ? -1 : (int)Math.Clamp(_heap[0].Due - Environment.TickCount64, 0, int.MaxValue);

    public void Fire()
    {
        if (Count == 0)
            return;

        long now = Environment.TickCount64;
        while (Count > 0 && _heap[0].Due <= now)
        {
            IoTimer timer = _heap[0];
            Stop(timer);
            timer.OnExpired();
        }
    }

    private void SiftUp(int index)
    {
        while (index > 0 && _heap[(index - 1) / 2].Due > _heap[index].Due)
        {
            Swap(index, (index - 1) / 2);
            index = (index - 1) / 2;
        }
    }

    private void SiftDown(int index)
    {
        while (true)
        {
            int least = (2 * index) + 1;
            if (least >= Count)
                return;

            if (least + 1 < Count && _heap[least + 1].Due < _heap[least].Due)
                least++;

            if (_heap[index].Due <= _heap[least].Due)
                return;

            Swap(index, least);
            index = least;
        }
    }

    private void Swap(int a, int b)
    {
        (_heap[a], _heap[b]) = (_heap[b], _heap[a]);
        _heap[a].Index = a;
        _heap[b].Index = b;
    }
}
