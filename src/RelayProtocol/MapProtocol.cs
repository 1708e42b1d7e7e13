namespace RelayProtocol;

/// <summary>What a mapping carries.</summary>
public enum MapProtocol
{
    /// <summary>TCP connections; <c>tcp</c> on the wire.</summary>
    Tcp = 0,

    /// <summary>Reserved: <c>udp</c> on the wire. The relay answers it with <see cref="RelayErrorCode.NotSupported"/>.</summary>
    Udp = 1,
}
