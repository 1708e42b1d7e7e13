namespace RelayProtocol;

/// <summary>One mapping as <c>list</c> reports it, with its counters since it was made. Immutable; any thread.</summary>
/// <param name="Mapping">The mapping in force; its host port is the one really bound.</param>
/// <param name="Accepted">Connections accepted; of udp flows, as in the rest.</param>
/// <param name="Active">Connections open now.</param>
/// <param name="Failed">Connections that the target refused or that could not be set up.</param>
/// <param name="BytesToGuest">Bytes carried from clients to the guest.</param>
/// <param name="BytesToHost">Bytes carried from the guest to clients.</param>
public sealed record PortMappingStatus(PortMapping Mapping, long Accepted, long Active, long Failed, long BytesToGuest, long BytesToHost)
{
    /// <summary>Datagrams carried from clients to the guest; 0 for tcp.</summary>
    public long DatagramsToGuest { get; init; }

    /// <summary>Datagrams carried from the guest to clients; 0 for tcp.</summary>
    public long DatagramsToHost { get; init; }

    /// <summary>Datagrams that found no room, either way; 0 for tcp.</summary>
    public long Dropped { get; init; }

    /// <summary>When it was mapped.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>The newest failure of one of its connections; null while none has failed.</summary>
    public RelayFailure? LastError { get; init; }

    /// <summary>The relay made it automatically.</summary>
    public bool Auto { get; init; }
}

/// <summary>A failed connection. Immutable; any thread.</summary>
/// <param name="Name">The error's name on the wire, for example <c>ConnectionRefused</c>.</param>
/// <param name="Message">The text for a person.</param>
/// <param name="At">When it failed, by the relay's clock.</param>
public sealed record RelayFailure(string Name, string Message, DateTimeOffset At);

/// <summary>What became of one removed mapping's connections.</summary>
/// <param name="Active">Connections still open when the answer was sent; they live on until they end by themselves.</param>
/// <param name="Reset">Connections that were reset because the drain's time was over.</param>
public sealed record UnmapResult(long Active, long Reset);
