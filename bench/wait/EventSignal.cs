using System.Runtime.InteropServices;

namespace Wslrelay.WaitBench;

/// <summary>An event that resets itself when a wait has seen it. For any thread.</summary>
internal sealed class EventSignal : BenchSignal
{
    private readonly AutoResetEvent _event = new(false);

    /// <inheritdoc/>
    internal override SafeHandle Handle => _event.SafeWaitHandle;

    /// <inheritdoc/>
    internal override void Set() => _event.Set();

    /// <inheritdoc/>
    internal override void Reset()
    {
    }

    /// <inheritdoc/>
    public override void Dispose() => _event.Dispose();
}
