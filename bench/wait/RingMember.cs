using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>One handle of a ring: its wait, and how its event is made to happen. Loop thread only.</summary>
internal abstract class RingMember(Ring ring) : IIoOwner, IDisposable
{
    /// <summary>What waits for the event.</summary>
    internal abstract IoOperation Operation { get; }

    /// <summary>Its place in the ring.</summary>
    internal int Index { get; set; }

    /// <summary>Makes the event happen.</summary>
    internal abstract void Fire();

    /// <summary>The event was dispatched: makes ready for the next. False if it was not what was fired.</summary>
    internal abstract bool Take();

    /// <inheritdoc/>
    public void Completed(IoOperation operation) => ring.Completed(this, operation.Error);

    /// <inheritdoc/>
    public abstract void Dispose();
}
