using Wslrelay.Io;

namespace Wslrelay.Tests.Io;

/// <summary>Owns one operation and counts its ends.</summary>
internal sealed class Completion : IIoOwner
{
    private readonly TaskCompletionSource<IoOperation> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    internal IoOperation Operation { get; set; } = null!;

    internal Task<IoOperation> Ended => _ended.Task;

    internal int Count => Volatile.Read(ref _count);

    public void Completed(IoOperation operation)
    {
        Interlocked.Increment(ref _count);
        _ended.TrySetResult(operation);
    }
}
