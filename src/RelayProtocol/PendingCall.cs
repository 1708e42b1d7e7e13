using MessagePack;

namespace RelayProtocol;

/// <summary>A request that waits for its answer. Any thread; only its first completion counts.</summary>
internal abstract class PendingCall
{
    /// <summary>Completes the call with a result.</summary>
    /// <exception cref="RelayException">The result is not what the method returns; the call is not completed.</exception>
    internal abstract void Answer(ReadOnlyMemory<byte> result);

    internal abstract void Fail(Exception failure);

    internal abstract void Cancel(CancellationToken cancellationToken);
}

/// <summary>A request whose result is decoded to a <typeparamref name="T"/>.</summary>
/// <param name="read">Reads the result.</param>
internal sealed class PendingCall<T>(PendingCall<T>.Reading read) : PendingCall
{
    // Continuations run elsewhere: the thread that reads answers must not run its callers' code.
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal delegate T Reading(ref MessagePackReader reader);

    internal Task<T> Task => _source.Task;

    internal override void Answer(ReadOnlyMemory<byte> result)
    {
        var reader = new MessagePackReader(result);
        _source.TrySetResult(read(ref reader));
    }

    internal override void Fail(Exception failure) => _source.TrySetException(failure);

    internal override void Cancel(CancellationToken cancellationToken) => _source.TrySetCanceled(cancellationToken);
}
