using System.Buffers;

namespace RelayProtocol;

/// <summary>
/// The requests that wait to be written, and the one loop that writes them: those added during a write go out in one. <see cref="Add"/> is
/// for any thread and never waits.
/// </summary>
internal sealed class RequestQueue
{
    // A buffer that has grown beyond this is not kept.
    private const int RestingCapacity = 64 * 1024;

    private readonly Lock _gate = new();
    private TaskCompletionSource _work = NewSignal();
    private ArrayBufferWriter<byte> _filling = new();
    private bool _completed;

    /// <summary>Queues one whole request.</summary>
    /// <returns>False, and nothing queued, once <see cref="Complete"/> was called.</returns>
    internal bool Add(ReadOnlySpan<byte> request)
    {
        lock (_gate)
        {
            if (_completed)
                return false;
            _filling.Write(request);
            _work.TrySetResult();
            return true;
        }
    }

    /// <summary>Accepts no more requests; the loop ends when it has written the queued ones.</summary>
    internal void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _work.TrySetResult();
        }
    }

    /// <summary>Writes until completed, then closes the stream: the relay sees the end of its input. Throws what the stream throws.</summary>
    internal async Task WriteAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        var writing = new ArrayBufferWriter<byte>();
        bool last = false;
        while (!last)
        {
            await Signal().WaitAsync(cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                (writing, _filling) = (_filling, writing);
                last = _completed;
                _work = NewSignal();
            }
            if (writing.WrittenCount > 0)
            {
                await stream.WriteAsync(writing.WrittenMemory, cancellationToken).ConfigureAwait(false);
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
                writing.ResetWrittenCount();
                writing = writing.Capacity > RestingCapacity ? new() : writing;
            }
        }
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    // Its continuation is the loop, which must not run within Add, on its caller's thread and under the lock.
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task Signal()
    {
        lock (_gate)
        {
            return _work.Task;
        }
    }
}
