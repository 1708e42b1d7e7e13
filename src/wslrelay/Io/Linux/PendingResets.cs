namespace Wslrelay.Io.Linux;

/// <summary>
/// Resets that are to be passed on, and wait while the other side still takes what was received before them: what a pump holds, and what the
/// kernel holds, which a reset would throw away. Costs nothing for a connection that is not breaking. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class PendingResets(EpollPort port, int idleMilliseconds)
{
    /// <summary>A side that takes nothing for this long is assumed not to read.</summary>
    internal const int MaxIdleMilliseconds = 100;

    private readonly Dictionary<Pump, Progress> _waiting = [];

    internal int IdleMilliseconds => idleMilliseconds;

    /// <summary>Whether the side that did not break is to be reset now. If not, the pump, which may hold more bytes for it, is woken later to ask again.</summary>
    internal bool IsDue(Pump pump, EpollHandle to, bool hasMore)
    {
        // What a Unix or vsock peer has not read yet is its own: closing this side does not take it away.
        int unsent = to.UnsentBytes;
        bool isDelivered = !hasMore && (unsent == 0 || to.HidesResets);
        if (isDelivered || to.Broken)
            return true;

        long now = Environment.TickCount64;
        if (!_waiting.TryGetValue(pump, out Progress last) || unsent < last.Unsent)
            _waiting[pump] = new Progress(now, unsent);
        else if (now - last.Time >= idleMilliseconds)
            return true;

        port.RetryLater(pump);
        return false;
    }

    /// <summary>The kernel has taken bytes from the pump: its time starts anew.</summary>
    internal void OnTaken(Pump pump) => Remove(pump);

    internal void Remove(Pump pump) => _waiting.Remove(pump);

    private readonly record struct Progress(long Time, int Unsent);
}
