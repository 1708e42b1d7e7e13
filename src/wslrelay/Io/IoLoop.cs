using System.Collections.Concurrent;

namespace Wslrelay.Io;

/// <summary>
/// One wait for any number of operations, and the thread that owns them all (WSL: <c>MultiHandleWait</c>, and its accept
/// thread). A wake-up costs the same with ten handles and with a hundred thousand: it names its operation.
/// Every member but <see cref="Post"/> is for the loop thread, or for the thread that will call <see cref="Run"/>, before it does.
/// </summary>
internal sealed class IoLoop(IoPort port, int eventBatch = IoLoop.EventBatch)
{
    // Small batches in debug builds, so that a batch that is too small for what is ready is the usual case there.
#if DEBUG
    private const int EventBatch = 8;
#else
    private const int EventBatch = 256;
#endif

    // An operation whose end starts the next one, which can go on at once, and so on: so many of them before the wait has its turn.
    private const int MaxChain = 4;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Queue<IoOperation> _started = new();
    private readonly Queue<IoOperation> _yielded = new();
    private readonly IoEvent[] _events = new IoEvent[eventBatch];
    private IoOperation? _first;
    private int _wakeSent;
    private bool _stopping;

    /// <summary>The wait behind this loop, and its operations.</summary>
    public IoPort Port { get; } = port;

    /// <summary>The deadlines.</summary>
    public IoTimers Timers { get; } = new();

    /// <summary>Operations started and not yet completed.</summary>
    public int ActiveCount { get; private set; }

    /// <summary>
    /// Takes an operation; its end comes by its owner's <see cref="IIoOwner.Completed"/>, never inside this call.
    /// While the loop stops, it ends as cancelled.
    /// </summary>
    public void Start(IoOperation operation)
    {
        operation.Begin();
        if (_stopping)
        {
            operation.Cancel();
        }

        operation.Next = _first;
        _first?.Previous = operation;
        _first = operation;
        ActiveCount++;
        _started.Enqueue(operation);
    }

    /// <summary>Runs an action on the loop thread. For any thread; in the order of the calls of one thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _wakeSent, 1) == 0)
        {
            Port.Wake();
        }
    }

    /// <summary>Ends <see cref="Run"/>: cancels everything, then drains until nothing is in flight.</summary>
    public void Stop()
    {
        _stopping = true;
        IoOperation? next;
        for (IoOperation? operation = _first; operation is not null; operation = next)
        {
            next = operation.Next;
            operation.Cancel();
        }
    }

    /// <summary>Waits and dispatches until <see cref="Stop"/> was called and everything has been drained.</summary>
    public void Run()
    {
        while (true)
        {
            RunPosted();
            RunStarted();
            RunAll(_yielded);
            Port.EndTurn();
            if (_stopping && ActiveCount == 0)
            {
                return;
            }

            int timeout = _started.Count > 0 || _yielded.Count > 0 || !_posted.IsEmpty ? 0 : Timers.NextTimeout();
            int count = Port.Wait(_events, timeout);
            for (int i = 0; i < count; i++)
            {
                // Readiness can name an operation that an earlier event of the same batch has ended already; a packet never does.
                IoOperation operation = _events[i].Operation;
                if (operation.State == IoState.Pending)
                {
                    operation.Collect(in _events[i]);
                    Settle(operation);
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

        // At most what was there when the turn began: a flood of posts must not keep the sockets waiting.
        for (int left = _posted.Count; left > 0 && _posted.TryDequeue(out Action? action); left--)
        {
            action();
        }
    }

    // Work that is known needs no wait: most connections are made, and their first bytes passed on, in the turn that accepted them.
    private void RunStarted()
    {
        for (int i = 0; i < MaxChain && _started.Count > 0; i++)
        {
            RunAll(_started);
        }
    }

    private void RunAll(Queue<IoOperation> queue)
    {
        for (int left = queue.Count; left > 0; left--)
        {
            IoOperation operation = queue.Dequeue();
            if (operation.CancelReason != IoError.None)
            {
                operation.EndCancelled();
            }
            else
            {
                operation.Schedule();
            }

            Settle(operation);
        }
    }

    private void Settle(IoOperation operation)
    {
        if (operation.State == IoState.Pending)
        {
            return;
        }

        if (operation.State == IoState.Standby)
        {
            _yielded.Enqueue(operation);
            return;
        }

        if (operation.Previous is null)
        {
            _first = operation.Next;
        }
        else
        {
            operation.Previous.Next = operation.Next;
        }

        operation.Next?.Previous = operation.Previous;
        operation.Previous = operation.Next = null;
        ActiveCount--;
        operation.OnCompleted();
    }
}
