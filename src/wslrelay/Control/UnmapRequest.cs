using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

/// <summary>
/// An unmap request after its listeners have closed: drains the connections of those mappings that ask for it, and answers when the last drain has
/// ended. Loop thread only.
/// </summary>
internal sealed class UnmapRequest(uint id, IReadOnlyList<UnmapItem> items, PortListener[] listeners, Action<uint, UnmapResult[]> answer)
{
    private readonly int[] _reset = new int[listeners.Length];
    private int _draining = listeners.Length;

    /// <summary>Starts the drains; answers at once if there are none.</summary>
    public void Start()
    {
        for (int i = 0; i < listeners.Length; i++)
        {
            int place = i;
            if (items[i].Drain is { } drain)
            {
                listeners[i].Drain((int)drain.TotalMilliseconds, reset =>
                {
                    _reset[place] = reset;
                    Count();
                });
            }
            else
            {
                Count();
            }
        }
    }

    private void Count()
    {
        if (--_draining == 0)
        {
            answer(id, [.. listeners.Select((listener, i) => new UnmapResult(listener.ActiveCount, _reset[i]))]);
        }
    }
}
