namespace RelayProtocol;

/// <summary>Something that happened in a relay, as <see cref="RelayClient.EventsAsync"/> tells it: one of the records below. Immutable; any thread.</summary>
public abstract record RelayEvent
{
    private protected RelayEvent()
    {
    }

    /// <summary>When it happened, by the relay's clock.</summary>
    public DateTimeOffset At { get; init; } = DateTimeOffset.UtcNow;
}

/// <summary>A connection was refused by the target, or could not be set up.</summary>
/// <param name="Mapping">The mapping that had accepted it.</param>
/// <param name="Client">The client's address and port; null if it had disconnected already.</param>
/// <param name="Error">What failed.</param>
public sealed record ConnectionFailedEvent(PortMapping Mapping, IPEndPoint? Client, RelayError Error) : RelayEvent;

/// <summary>A mapping has come into force.</summary>
/// <param name="Mapping">The mapping, with the host port really bound.</param>
/// <param name="Auto">The relay made it automatically.</param>
public sealed record MappedEvent(PortMapping Mapping, bool Auto = false) : RelayEvent
{
    /// <summary>Who listens in the guest, where its agent has told.</summary>
    public string? Program { get; init; }
}

/// <summary>A mapping is gone, and its host port free.</summary>
/// <param name="Mapping">The mapping.</param>
/// <param name="Auto">The relay had made it automatically.</param>
public sealed record UnmappedEvent(PortMapping Mapping, bool Auto = false) : RelayEvent;

/// <summary>An automatic mapping could not be made. It is tried again; the event comes once.</summary>
/// <param name="Mapping">The mapping.</param>
/// <param name="Error">What failed.</param>
public sealed record MapFailedEvent(PortMapping Mapping, RelayError Error) : RelayEvent;

/// <summary>The guest's agent has become reachable, or unreachable.</summary>
/// <param name="IsUp">Whether it answers.</param>
/// <param name="Error">Why it does not; null if it does.</param>
public sealed record AgentEvent(bool IsUp, RelayError? Error = null) : RelayEvent;

/// <summary>Stands for events that were dropped, because they were not read in time.</summary>
/// <param name="Count">How many.</param>
public sealed record LostEvent(long Count) : RelayEvent;
