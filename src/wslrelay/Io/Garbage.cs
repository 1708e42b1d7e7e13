namespace Wslrelay.Io;

/// <summary>
/// Gives back to the system what ended mappings and flows have left behind, a while after many of them: nothing else might be allocated for hours, and so
/// nothing be collected. Loop thread only.
/// </summary>
internal sealed class Garbage(IoLoop loop) : IoTimer
{
    private const int EndsWorthCollecting = 1000;
    private const int CollectAfterMilliseconds = 1000;

    private int _ends;

    /// <summary>Called before a collection: what is kept for reuse may be dropped.</summary>
    internal event Action? Collecting;

    internal void Add(int ends)
    {
        _ends += ends;
        if (_ends >= EndsWorthCollecting)
            loop.Timers.Start(this, CollectAfterMilliseconds);
    }

    protected internal override void OnExpired()
    {
        _ends = 0;
        loop.Buffers.Trim();
        Collecting?.Invoke();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
