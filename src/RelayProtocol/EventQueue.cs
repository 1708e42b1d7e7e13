using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace RelayProtocol;

/// <summary>The events that one reader of <see cref="RelayClient.EventsAsync"/> has not read yet. Any thread.</summary>
internal sealed class EventQueue
{
    private const int MaxWaiting = 1000;

    private readonly Channel<RelayEvent> _waiting = Channel.CreateBounded<RelayEvent>(MaxWaiting);
    private readonly Lock _gate = new();
    private long _lost;

    internal async IAsyncEnumerable<RelayEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await _waiting.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (_waiting.Reader.TryRead(out RelayEvent? item))
            {
                yield return item;
                Add(null);
            }
        }
    }

    /// <summary>Adds an event, or counts it if too many wait; with null only tells of those counted, as soon as there is room.</summary>
    internal void Add(RelayEvent? item)
    {
        lock (_gate)
        {
            if (_lost > 0 && _waiting.Writer.TryWrite(new LostEvent(_lost)))
                _lost = 0;
            if (item is not null && (_lost > 0 || !_waiting.Writer.TryWrite(item)))
                _lost++;
        }
    }

    internal void End(Exception failure) => _waiting.Writer.TryComplete(failure);
}
