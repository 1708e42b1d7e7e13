namespace Wslrelay.Io;

/// <summary>A deadline on the loop thread. It belongs to <see cref="IoTimers"/> between start and end.</summary>
internal sealed class IoTimer(Action expired)
{
    /// <summary>What to do when the time has come; on the loop thread.</summary>
    public Action Expired { get; } = expired;

    /// <summary>When, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long Due { get; set; }

    /// <summary>Its place in the heap; -1 while it is not running.</summary>
    internal int Index { get; set; } = -1;
}
