using RelayProtocol;
using RelayProtocol.Rpc;

namespace Wslrelay.Relaying;

/// <summary>
/// The events of <c>subscribe</c>, from those that raise them to whoever writes them. At most <see cref="MaxWaiting"/> wait to be written; one <see cref="LostEvent"/>
/// stands for those that come when so many wait. Loop thread only.
/// </summary>
internal sealed class RelayEvents
{
    internal const int MaxWaiting = 1000;

    private readonly Queue<RelayEvent> _waiting = [];
    private IReadOnlyList<string> _wanted = [];
    private Action? _raised;
    private int _inFlight;
    private long _lost;

    public bool HasSubscriber => _wanted.Count > 0;

    /// <summary>From now on events of these names are kept for <see cref="TryTake"/>, in place of those asked for before.</summary>
    /// <param name="names">As <see cref="EventFormat.Names"/> has them.</param>
    /// <param name="raised">Called after each, to begin writing where nothing is being written.</param>
    public void Subscribe(IReadOnlyList<string> names, Action raised)
    {
        _wanted = names;
        _raised = raised;
    }

    /// <summary>Queues the event if the subscriber wants it.</summary>
    public void Raise(RelayEvent item)
    {
        if (!HasSubscriber || !_wanted.Contains(EventFormat.NameOf(item)))
            return;

        if (_waiting.Count + _inFlight >= MaxWaiting)
        {
            _lost++;
            return;
        }

        if (_lost > 0)
            _waiting.Enqueue(TakeLost());

        _waiting.Enqueue(item);
        _raised!();
    }

    /// <summary>The events taken before have been written; those taken from now on are being written.</summary>
    public void BeginPiece() => _inFlight = 0;

    /// <summary>Takes the next event to be written.</summary>
    public bool TryTake(out RelayEvent? item)
    {
        if (!_waiting.TryDequeue(out item) && _lost > 0)
            item = TakeLost();

        _inFlight += item is null ? 0 : 1;
        return item is not null;
    }

    private LostEvent TakeLost()
    {
        LostEvent lost = new(_lost);
        _lost = 0;
        return lost;
    }
}
