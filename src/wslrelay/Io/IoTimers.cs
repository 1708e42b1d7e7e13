namespace Wslrelay.Io;

/// <summary>
/// The loop's deadlines: a binary heap in which every timer knows its index, so that a stopped timer is removed at once
/// (a connect's ten seconds almost never expire). O(log n). Loop thread only.
/// </summary>
internal sealed class IoTimers
{
    private IoTimer[] _heap = new IoTimer[16];
    private int _count;

    public int Count => _count;

    /// <summary>Starts or restarts a timer.</summary>
    public void Start(IoTimer timer, long milliseconds)
    {
        Stop(timer);
        timer.Due = Environment.TickCount64 + milliseconds;
        if (_count == _heap.Length)
            Array.Resize(ref _heap, _count * 2);

        _heap[_count] = timer;
        timer.Index = _count++;
        SiftUp(timer.Index);
    }

    /// <summary>Stops a timer; does nothing if it is not running.</summary>
    public void Stop(IoTimer timer)
    {
        int index = timer.Index;
        if (index < 0)
            return;

        timer.Index = -1;
        IoTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (last != timer)
        {
            _heap[index] = last;
            last.Index = index;
            SiftDown(index);
            SiftUp(last.Index);
        }
    }

    /// <summary>Milliseconds until the next deadline; 0 if one has passed, -1 if there is none.</summary>
    public int NextTimeout()
    {
        if (_count == 0)
            return -1;

        long left = _heap[0].Due - Environment.TickCount64;
        return (int)Math.Clamp(left, 0, int.MaxValue);
    }

    /// <summary>Expires every timer that is due.</summary>
    public void Fire()
    {
        if (_count == 0)
            return;

        long now = Environment.TickCount64;
        while (_count > 0 && _heap[0].Due <= now)
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
            if (least >= _count)
                return;

            if (least + 1 < _count && _heap[least + 1].Due < _heap[least].Due)
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
