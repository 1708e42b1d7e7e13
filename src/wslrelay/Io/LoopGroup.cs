using System.Runtime.ExceptionServices;

namespace Wslrelay.Io;

/// <summary>Gets the connections that were given to another loop, on that loop's thread.</summary>
internal interface IAdopter
{
    void Adopted(IoSocket socket);

    /// <summary>The loop's port could not have it, and it is closed.</summary>
    void NotAdopted();
}

/// <summary>
/// The loops of a process: the one that listens, and others, each with a thread and a port of its own, made when it gets its first connection. A relay that is
/// quiet has only the first. A connection is given away before its socket belongs to a port, and stays where it was given. All that passes between loops is
/// posted. For the thread of the loop that listens.
/// </summary>
/// <param name="first">The loop that listens.</param>
/// <param name="count">How many there may be.</param>
/// <param name="spreads">Connections go round, however little there is to do; otherwise only while the relay is busy.</param>
internal sealed class LoopGroup(IoLoop first, int count, bool spreads)
{
    internal const int MaxCount = 64;

    // All loops together have so much to do, of one processor: less is quiet.
    private const int BusyPercent = 50;
    private const int SampleMilliseconds = 20;

    // What a connection that was opened since the last sample counts for.
    private const int PercentPerConnection = 4;

    // Short connections one after the other are faster without a change of thread: where many begin, so many must be open at once.
    private const int ManyPerSample = 16;
    private const int MinOpenOfMany = 4;

    // On their way to all other loops. Each still needs a second descriptor, where that is not known to be scarce.
    private const int MaxInFlight = 128;

    private const int StackSize = 1 << 20;

    private readonly IoLoop?[] _loops = [first, .. new IoLoop?[count - 1]];
    private readonly List<Thread> _threads = [];
    private readonly int[] _given = new int[count];
    private readonly int[] _openAtSample = new int[count];
    private readonly long[] _timeAtSample = new long[count];
    private readonly int[] _percent = new int[count];
    private int _count = count;
    private int _totalPercent;
    private int _begunAtSample;
    private long _sampledAt;
    private int _last;
    private bool _isStopping;
    private ExceptionDispatchInfo? _failure;

    /// <summary>The other half of the processors is for clients and servers.</summary>
    internal static int DefaultCount { get; } = Math.Clamp(Environment.ProcessorCount / 2, 1, 4);

    internal int Count => _loops.Length;

    private IEnumerable<IoLoop> Others => _loops.Skip(1).OfType<IoLoop>();

    /// <summary>The loop for the next connection; null for the one that listens.</summary>
    internal IoLoop? Choose()
    {
        if (_isStopping)
            return null;

        int chosen = spreads ? _last = (_last + 1) % _count : FindLeastBusy();
        return chosen == 0 || _given[chosen] - (_loops[chosen]?.BegunCount ?? 0) >= MaxInFlight / Count ? null : _loops[chosen] ??= TryBegin(chosen);
    }

    /// <summary>Gives a socket that was accepted for a loop to it.</summary>
    internal void Give(IoLoop loop, IoSocket socket, IAdopter adopter)
    {
        _given[loop.Index]++;
        loop.Post(() =>
        {
            loop.BegunCount++;
            if (loop.Port.Adopt(socket))
                adopter.Adopted(socket);
            else
                adopter.NotAdopted();
        });
    }

    /// <summary>
    /// Has something done on each of the other loops there are, which calls there when it is done, then calls back; at once if there is no other. What they did before
    /// is seen by then.
    /// </summary>
    internal void OnEach(Action<IoLoop, Action> action, Action done)
    {
        int left = _threads.Count;
        if (left == 0)
            done();

        foreach (IoLoop loop in Others)
            loop.Post(() => action(loop, () => first.Post(OnDone)));

        void OnDone()
        {
            if (--left == 0)
                done();
        }
    }

    /// <summary>Stops the others, behind all that was posted to them.</summary>
    internal void Stop()
    {
        _isStopping = true;
        foreach (IoLoop loop in Others)
            loop.Post(loop.Stop);
    }

    /// <summary>Runs the first loop, on the calling thread, until it and the others have drained, and closes the others' ports.</summary>
    internal void Run()
    {
        first.Port.BindThread();
        first.Run();
        _threads.ForEach(static thread => thread.Join());
        _failure?.Throw();
        foreach (IoLoop loop in Others)
            loop.Port.Dispose();
    }

    private int FindLeastBusy()
    {
        // One alone stays, and costs no sample.
        if (OpenCount(0) == 0)
            return 0;

        long now = Environment.TickCount64;
        if (now - _sampledAt >= SampleMilliseconds)
            Sample(now);

        bool areMany = first.BegunCount - _begunAtSample >= ManyPerSample;
        if (_totalPercent < BusyPercent || (areMany && OpenCount(0) < MinOpenOfMany))
            return 0;

        int least = 0;
        for (int i = 1; i < _count; i++)
        {
            if (Load(i) < Load(least))
                least = i;
        }

        return least;
    }

    private void Sample(long now)
    {
        _totalPercent = 0;
        _begunAtSample = first.BegunCount;
        for (int i = 0; i < _count; i++)
        {
            long time = _loops[i]?.Port.ThreadMicroseconds ?? 0;
            _percent[i] = (int)((time - _timeAtSample[i]) / (10 * (now - _sampledAt)));
            _timeAtSample[i] = time;
            _openAtSample[i] = OpenCount(i);
            _totalPercent += _percent[i];
        }

        _sampledAt = now;
    }

    private int Load(int i) => _percent[i] + (PercentPerConnection * (OpenCount(i) - _openAtSample[i]));

    private int OpenCount(int i) => (i == 0 ? first.BegunCount : _given[i]) - (_loops[i]?.EndedCount ?? 0);

    // Null, and from then on there are no more, where the system refuses what it needs.
    private IoLoop? TryBegin(int index)
    {
        IoPort? port = null;
        try
        {
            port = first.Port.CreateForLoop();
            IoLoop loop = new(port) { Index = index };
            Thread thread = new(() => Run(loop), StackSize) { IsBackground = true, Name = $"loop {index}" };
            thread.Start();
            _threads.Add(thread);
            return loop;
        }
        catch (Exception e) when (e is IoException or OutOfMemoryException or ThreadStartException)
        {
            port?.Dispose();
            _count = index;
            return null;
        }
    }

    private void Run(IoLoop loop)
    {
        try
        {
            loop.Port.BindThread();
            loop.Run();
        }
        catch (Exception e)
        {
            // A defect ends the program as one of the first loop's does.
            _failure = ExceptionDispatchInfo.Capture(e);
            first.Post(_failure.Throw);
        }
    }
}
