using MessagePack;

namespace RelayProtocol;

/// <summary>A request that waits for its answer. Any thread; only its first ending counts.</summary>
internal abstract class PendingCall
{
    /// <summary>Ends the call with a result.</summary>
    /// <exception cref="RelayException">The result is not what the method's should be; the call is not ended.</exception>
    internal abstract void Answer(ReadOnlyMemory<byte> result);

    /// <summary>Ends the call with a failure.</summary>
    internal abstract void Fail(Exception failure);

    /// <summary>Ends the call as cancelled.</summary>
    internal abstract void Cancel(CancellationToken cancellationToken);
}

/// <summary>A request whose result is read to a <typeparamref name="T"/>.</summary>
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
