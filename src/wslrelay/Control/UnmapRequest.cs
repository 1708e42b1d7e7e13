using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

/// <summary>
/// An unmap request after its listeners have closed: drains the connections of those mappings that ask for it, and calls back when the last drain has
/// ended. Loop thread only.
/// </summary>
internal sealed class UnmapRequest(IReadOnlyList<UnmapItem> items, MappedPort[] listeners, Action<UnmapRequest> completed)
{
    private readonly int[] _reset = new int[listeners.Length];
    private readonly List<Action> _endDrains = [];
    private int _pending = listeners.Length;

    public UnmapResult[] Results => [.. listeners.Select((listener, i) => new UnmapResult(listener.ActiveCount, _reset[i]))];

    public bool IsCompleted => _pending == 0;

    /// <summary>Starts the drains; calls back at once if there are none.</summary>
    public void Start()
    {
        for (int i = 0; i < listeners.Length; i++)
        {
            int place = i;
            if (items[i].Drain is { } drain)
                _endDrains.Add(listeners[i].Drain((int)drain.TotalMilliseconds, reset => Complete(place, reset)));
            else
                Complete(place, listeners[i].ResetByClose);
        }
    }

    /// <summary>Resets now what is left of the connections, instead of at the end of the drains.</summary>
    public void EndDrains() => _endDrains.ForEach(end => end());

    private void Complete(int place, int reset)
    {
        _reset[place] = reset;
        if (--_pending == 0)
            completed(this);
    }
}
