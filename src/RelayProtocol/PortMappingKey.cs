using System.Net.Sockets;

namespace RelayProtocol;

/// <summary>What tells one mapping from another: protocol, host address and host port. Immutable, compared by value; any thread.</summary>
public sealed record PortMappingKey
{
    /// <summary>Names a mapping.</summary>
    /// <param name="address">The host address, IPv4 or IPv6 but not an IPv4-mapped one.</param>
    /// <param name="hostPort">The host port, 0..65535; no mapping in force has 0.</param>
    /// <param name="protocol">What the mapping carries.</param>
    /// <exception cref="ArgumentException">The address is of another family, or IPv4-mapped.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is out of range.</exception>
    public PortMappingKey(IPAddress address, int hostPort, MapProtocol protocol = MapProtocol.Tcp)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(hostPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hostPort, 65535);
        if (address.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) || address.IsIPv4MappedToIPv6)
            throw new ArgumentException($"{address} is neither an IPv4 nor a plain IPv6 address", nameof(address));
        Address = address;
        HostPort = hostPort;
        Protocol = protocol;
    }

    /// <summary>What the mapping carries.</summary>
    public MapProtocol Protocol { get; }

    /// <summary>The address family: 4 or 6.</summary>
    public int Family => Address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 4;

    /// <summary>The host address.</summary>
    public IPAddress Address { get; }

    /// <summary>The host port, 0..65535.</summary>
    public int HostPort { get; }

    /// <summary>The identity as messages write it: <c>127.0.0.1:8080/tcp</c> or <c>[::1]:8080/tcp</c>.</summary>
    public override string ToString() => Family == 6
        ? $"[{Address}]:{HostPort}/{Word(Protocol)}"
        : $"{Address}:{HostPort}/{Word(Protocol)}";

    internal static string Word(MapProtocol protocol) => protocol == MapProtocol.Udp ? "udp" : "tcp";
}

/// <summary>What a mapping carries.</summary>
public enum MapProtocol
{
    /// <summary>TCP connections; <c>tcp</c> on the wire.</summary>
    Tcp = 0,

    /// <summary>UDP datagrams; <c>udp</c> on the wire.</summary>
    Udp = 1,
}
