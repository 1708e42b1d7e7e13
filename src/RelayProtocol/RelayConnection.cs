namespace RelayProtocol;

/// <summary>One connection, or flow of datagrams, as <c>connections</c> reports it. Immutable; any thread.</summary>
/// <param name="Key">The mapping that accepted it.</param>
/// <param name="GuestPort">The port inside the guest.</param>
/// <param name="Client">The client's address and port; null if it has disconnected already.</param>
/// <param name="Since">When it was accepted.</param>
/// <param name="State">What it is doing.</param>
/// <param name="BytesToGuest">Bytes that came from the client; null where the system does not count them.</param>
/// <param name="BytesToHost">Bytes that went to the client; null where the system does not count them.</param>
public sealed record RelayConnection(
    PortMappingKey Key, int GuestPort, IPEndPoint? Client, DateTimeOffset Since, RelayConnectionState State, long? BytesToGuest, long? BytesToHost);

/// <summary>What a connection is doing.</summary>
public enum RelayConnectionState
{
    /// <summary>A state that this version of the library does not know.</summary>
    Unknown = 0,

    /// <summary>The connection to the server is not established yet.</summary>
    Connecting,

    /// <summary>Both directions are open.</summary>
    Open,

    /// <summary>The client has ended its sending.</summary>
    ClientEnded,

    /// <summary>The server has ended its sending.</summary>
    ServerEnded,

    /// <summary>Not a connection: the datagrams of one client.</summary>
    Flow,
}
