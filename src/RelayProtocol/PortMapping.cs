using System.Diagnostics.CodeAnalysis;

namespace RelayProtocol;

/// <summary>A host port that is relayed to a guest port. Immutable, compared by value; any thread.</summary>
public sealed record PortMapping
{
    internal const int MinIdleMilliseconds = 1000;
    internal const int MaxIdleMilliseconds = 86_400_000;

    private static readonly TimeSpan DefaultIdleTimeout = TimeSpan.FromMinutes(1);

    /// <summary>A mapping of a host address's port.</summary>
    /// <param name="address">
    /// The host address to listen on, IPv4 or IPv6 but not an IPv4-mapped one; its family is also <see cref="GuestFamily"/>'s default.
    /// One that is not loopback needs the relay's <c>--allow-remote</c>.
    /// </param>
    /// <param name="hostPort">The host port, 0..65535; with 0 the system chooses, and the answer to <c>map</c> says which.</param>
    /// <param name="guestPort">The port inside the guest, 1..65535.</param>
    /// <param name="protocol">What the mapping carries.</param>
    /// <exception cref="ArgumentException">The address is of another family, or IPv4-mapped.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A port is out of range.</exception>
    public PortMapping(IPAddress address, int hostPort, int guestPort, MapProtocol protocol = MapProtocol.Tcp)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(guestPort, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(guestPort, 65535);
        Key = new PortMappingKey(address, hostPort, protocol);
        GuestPort = guestPort;
        GuestFamily = Key.Family;
        IdleTimeout = protocol == MapProtocol.Udp ? DefaultIdleTimeout : null;
    }

    /// <summary>A mapping of a port of the IPv4 loopback address, 127.0.0.1.</summary>
    /// <param name="hostPort">The host port, 0..65535; with 0 the system chooses, and the answer to <c>map</c> says which.</param>
    /// <param name="guestPort">The port inside the guest, 1..65535.</param>
    /// <exception cref="ArgumentOutOfRangeException">A port is out of range.</exception>
    public PortMapping(int hostPort, int guestPort)
        : this(IPAddress.Loopback, hostPort, guestPort)
    {
    }

    /// <summary>What tells this mapping from others.</summary>
    public PortMappingKey Key { get; }

    /// <summary>What the mapping carries.</summary>
    public MapProtocol Protocol => Key.Protocol;

    /// <summary>The address family of the host listener: 4 or 6.</summary>
    public int Family => Key.Family;

    /// <summary>The host address to listen on.</summary>
    public IPAddress Address => Key.Address;

    /// <summary>The host port, 0..65535; 0 until the system has chosen one.</summary>
    public int HostPort => Key.HostPort;

    /// <summary>The port inside the guest, 1..65535.</summary>
    public int GuestPort { get; }

    /// <summary>
    /// The address family of the connection to the server: 4, 6, or 0 for the mapping's own first, and the other one where that is refused at once. The mapping's
    /// own by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of these.</exception>
    public int GuestFamily
    {
        get;
        init => field = value is 0 or 4 or 6 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a family is 4, 6, or 0 for either");
    }

    /// <summary>The version of the PROXY protocol's header that tells a tcp server the client's address: 2, or 0 for none, which is the default.</summary>
    /// <exception cref="ArgumentException">The mapping is not tcp.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It is another version.</exception>
    public int Proxy
    {
        get;
        init
        {
            if (value != 0 && Protocol != MapProtocol.Tcp)
                throw new ArgumentException("only a tcp mapping has a header", nameof(value));
            field = value is 0 or 2 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "the version is 2, or 0 for no header");
        }
    }

    /// <summary>
    /// How long a flow of a udp mapping lives without a datagram either way: one second to a day, a minute by default. Null for tcp, whose connections end by
    /// themselves.
    /// </summary>
    /// <exception cref="ArgumentException">The mapping is not udp.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is out of range.</exception>
    public TimeSpan? IdleTimeout
    {
        get;
        init
        {
            if (value is { } time)
            {
                if (Protocol != MapProtocol.Udp)
                    throw new ArgumentException("only a udp mapping has an idle timeout", nameof(value));
                ArgumentOutOfRangeException.ThrowIfLessThan(time.TotalMilliseconds, MinIdleMilliseconds, nameof(value));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(time.TotalMilliseconds, MaxIdleMilliseconds, nameof(value));
            }

            field = Protocol == MapProtocol.Udp ? value ?? DefaultIdleTimeout : null;
        }
    }

    internal PortMapping WithHostPort(int hostPort) => new(Address, hostPort, GuestPort, Protocol)
    {
        IdleTimeout = IdleTimeout, GuestFamily = GuestFamily, Proxy = Proxy,
    };

    /// <summary>
    /// Reads the command line's syntax, <c>[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp|/udp]</c>: for example <c>8080</c>,
    /// <c>8080:80</c>, <c>127.0.0.1:0:80</c>, <c>[::1]:8080:80</c>, <c>localhost:8080:80</c>, <c>3000-3009:4000-4009</c>, <c>5353:53/udp</c>.
    /// </summary>
    /// <param name="text">
    /// The text. Ports left out for the guest are the host's. Two ranges must be of the same length; with host port 0 and a range
    /// for the guest the system chooses a host port for each. The address <c>localhost</c> is two mappings for each port, of 127.0.0.1 and of ::1, with
    /// <see cref="GuestFamily"/> 0; with host port 0 they are to be mapped on one number.
    /// </param>
    /// <returns>One mapping, or one for each port of the range, in order.</returns>
    /// <exception cref="FormatException">The text is not a mapping; the message says what is wrong and what would be right.</exception>
    public static IReadOnlyList<PortMapping> ParseSpec(string text) =>
        TryParseSpec(text, out IReadOnlyList<PortMapping>? mappings, out string? error) ? mappings : throw new FormatException(error);

    /// <summary>As <see cref="ParseSpec"/>, without an exception.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mappings">One mapping, or one for each port of the range, in order; null on failure.</param>
    /// <param name="error">What is wrong and what would be right; null on success.</param>
    /// <returns>Whether the text is a mapping.</returns>
    public static bool TryParseSpec(
        string? text, [NotNullWhen(true)] out IReadOnlyList<PortMapping>? mappings, [NotNullWhen(false)] out string? error) =>
        EndpointText.TryParse(text, $"an empty mapping: expected {PortMappingSpec.Syntax}", PortMappingSpec.Parse, out mappings, out error);

    /// <summary>The identity as messages write it: <c>127.0.0.1:8080/tcp</c> or <c>[::1]:8080/tcp</c>.</summary>
    public override string ToString() => Key.ToString();
}
