using System.Threading.Channels;

namespace RelayProtocol;

/// <summary>The events that one reader of <see cref="RelayClient.EventsAsync"/> has not read yet. One thread adds; any thread ends and reads.</summary>
internal sealed class EventQueue
{
    private const int MaxWaiting = 1000;

    private readonly Channel<RelayEvent> _waiting = Channel.CreateBounded<RelayEvent>(MaxWaiting);
    private long _lost;

    internal IAsyncEnumerable<RelayEvent> ReadAllAsync(CancellationToken cancellationToken) => _waiting.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Adds an event, or counts it if too many wait.</summary>
    internal void Add(RelayEvent item)
    {
        if (_lost > 0 && _waiting.Writer.TryWrite(new LostEvent(_lost)))
            _lost = 0;
        if (_lost > 0 || !_waiting.Writer.TryWrite(item))
            _lost++;
    }

    internal void End(Exception failure) => _waiting.Writer.TryComplete(failure);
}
