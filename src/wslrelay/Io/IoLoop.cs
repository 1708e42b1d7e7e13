using System.Collections.Concurrent;

namespace Wslrelay.Io;

/// <summary>
/// The event loop: waits for any number of operations on one thread, which owns them all (its counterpart in WSL's source is <c>MultiHandleWait</c>). A wake-up names its
/// operation. Every member except <see cref="Post"/> is for the loop thread, or before <see cref="Run"/> for the thread that will call it. A process may have several (<see cref="LoopGroup"/>).
/// </summary>
internal sealed class IoLoop(IoPort port, int eventBatch = IoLoop.EventBatch)
{
    // Small in debug builds, so that tests exercise batches that overflow.
#if DEBUG
    private const int EventBatch = 8;
#else
    private const int EventBatch = 256;
#endif

    // A completed operation can start the next, which may complete at once, and so on: the length of such a chain before the next wait.
    private const int MaxChain = 4;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Queue<IoOperation> _started = new();
    private readonly Queue<IoOperation> _yielded = new();
    private readonly IoEvent[] _events = new IoEvent[eventBatch];
    private IoOperation? _first;
    private int _wakeSent;
    private bool _stopping;

    public IoPort Port { get; } = port;

    /// <summary>Its place among the loops of the process: 0 is the one that listens.</summary>
    public int Index { get; init; }

    /// <summary>Of the loop that listens: the loops of the process; null where there can be no other.</summary>
    public LoopGroup? Group { get; set; }

    /// <summary>Connections that began here, and those that ended, written by this loop and read by the one that listens.</summary>
    public int BegunCount { get; set; }

    /// <inheritdoc cref="BegunCount"/>
    public int EndedCount { get; set; }

    public IoTimers Timers { get; } = port.Timers;

    public BufferPool Buffers { get; } = port.Buffers;

    public Garbage Garbage => field ??= new Garbage(this);

    /// <summary>For datagrams out of a stream: filled and handed over within one call.</summary>
    public DatagramBatch Batch => field ??= new DatagramBatch();

    /// <summary>Operations started and not yet completed.</summary>
    public int ActiveCount { get; private set; }

    /// <summary>The owner is notified later, never inside this call. While the loop is stopping the operation completes as cancelled.</summary>
    public void Start(IoOperation operation)
    {
        operation.Begin();
        if (_stopping)
            operation.Cancel();

        operation.Next = _first;
        _first?.Previous = operation;
        _first = operation;
        ActiveCount++;
        _started.Enqueue(operation);
    }

    /// <summary>Queues an action for the loop thread. Callable from any thread; the actions of one thread run in order.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _wakeSent, 1) == 0)
            Port.Wake();
    }

    /// <summary>Runs an action on this loop's thread: now, where the caller is on it.</summary>
    public void Invoke(IoLoop caller, Action action)
    {
        if (caller == this)
            action();
        else
            Post(action);
    }

    /// <summary>Cancels every operation; <see cref="Run"/> returns when the last one has completed.</summary>
    public void Stop()
    {
        _stopping = true;
        Port.IsStopping = true;
        Group?.Stop();
        IoOperation? next;
        for (IoOperation? operation = _first; operation is not null; operation = next)
        {
            next = operation.Next;
            operation.Cancel();
        }
    }

    public void Run()
    {
        while (true)
        {
            RunPosted();
            RunStarted();
            RunYielded();
            Port.EndTurn();
            if (_stopping && ActiveCount == 0)
                return;

            int timeout = _started.Count > 0 || _yielded.Count > 0 || !_posted.IsEmpty ? 0 : Timers.NextTimeout();
            Port.YieldedCount = _yielded.Count;
            int count = Port.Wait(_events, timeout);
            for (int i = 0; i < count; i++)
            {
                // A readiness event can name an operation that an earlier event of this batch has completed; a packet never does.
                IoOperation operation = _events[i].Operation;
                if (operation.State == IoState.Pending)
                {
                    operation.Collect(in _events[i]);
                    OnStateChanged(operation);
                }
            }

            Array.Clear(_events, 0, count);
            Timers.Fire();
        }
    }

    private void RunPosted()
    {
        Volatile.Write(ref _wakeSent, 0);
        Interlocked.MemoryBarrier();

        // Only what was queued when the turn began: a flood of posts must not starve the sockets.
        for (int left = _posted.Count; left > 0 && _posted.TryDequeue(out Action? action); left--)
            action();
    }

    // Started operations run without a wait: most connections are set up, and their first bytes relayed, in the turn that accepted them.
    private void RunStarted()
    {
        for (int i = 0; i < MaxChain && _started.Count > 0; i++)
        {
            for (int left = _started.Count; left > 0; left--)
                RunOne(_started.Dequeue());
        }
    }

    // One a turn: what is woken meanwhile waits for one of them, not for all.
    private void RunYielded()
    {
        if (_yielded.TryDequeue(out IoOperation? operation))
            RunOne(operation);
    }

    private void RunOne(IoOperation operation)
    {
        if (operation.CancelReason != IoError.None)
            operation.CompleteCancelled();
        else
            operation.Schedule();

        OnStateChanged(operation);
    }

    private void OnStateChanged(IoOperation operation)
    {
        if (operation.State == IoState.Pending)
            return;

        if (operation.State == IoState.Standby)
        {
            _yielded.Enqueue(operation);
            return;
        }

        if (operation.Previous is null)
            _first = operation.Next;
        else
            operation.Previous.Next = operation.Next;

        operation.Next?.Previous = operation.Previous;
        operation.Previous = operation.Next = null;
        ActiveCount--;
        operation.OnCompleted();
    }
}
