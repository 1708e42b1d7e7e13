namespace Wslrelay.Io;

/// <summary>A deadline on the loop thread. It belongs to <see cref="IoTimers"/> between its start and its end.</summary>
internal abstract class IoTimer
{
    /// <summary>When, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long Due { get; set; }

    /// <summary>Its place in the heap; -1 while it is not running.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>The time has come. The timer is not running any more, and may be started again.</summary>
    protected internal abstract void OnExpired();
}
