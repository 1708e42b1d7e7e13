namespace Wslrelay.Io;

/// <summary>A deadline on the loop thread. It belongs to <see cref="IoTimers"/> while it runs.</summary>
internal abstract class IoTimer
{
    /// <summary>When it expires, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long Due { get; set; }

    /// <summary>Its index in the heap; -1 while it is not running.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>Called when it expires. It is no longer running, and may be started again.</summary>
    protected internal abstract void OnExpired();
}
