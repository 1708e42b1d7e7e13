using System.Buffers;
using System.Net.Sockets;

namespace RelayProtocol;

/// <summary>Reads the command line's <c>[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp|/udp]</c>.</summary>
internal static class PortMappingSpec
{
    internal const string Syntax = "[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp|/udp], such as 8080, 8080:80, 127.0.0.1:0:80, "
        + "[::1]:8080:80, localhost:8080:80, 3000-3009:4000-4009 or 5353:53/udp";

    private const string Localhost = "localhost:";

    private static readonly SearchValues<char> PortOrRange = SearchValues.Create("0123456789-");

    /// <exception cref="FormatException">The text is not a mapping; the message says what is wrong.</exception>
    internal static IReadOnlyList<PortMapping> Parse(string text)
    {
        int slash = text.LastIndexOf('/');
        MapProtocol protocol = (slash < 0 ? "tcp" : text[(slash + 1)..]) switch
        {
            "tcp" => MapProtocol.Tcp,
            "udp" => MapProtocol.Udp,
            string other => throw new FormatException($"'{other}' is not a protocol: expected tcp or udp"),
        };
        string rest = slash < 0 ? text : text[..slash];
        bool isBoth = rest.StartsWith(Localhost, StringComparison.Ordinal);
        if (isBoth)
            rest = rest[Localhost.Length..];
        IPAddress address = (isBoth ? null : TakeAddress(ref rest)) ?? IPAddress.Loopback;
        string[] parts = rest.Split(':');
        if (parts.Length > 2)
            throw TooManyColons();
        Range host = Range.Parse("host port", 0, parts[0]);
        if (parts.Length == 1 && host.First == 0)
            throw new FormatException("host port 0 (the system chooses) needs a guest port: 0:GUESTPORT");
        Range guest = parts.Length == 2 ? Range.Parse("guest port", 1, parts[1]) : host;

        bool systemChooses = host is { First: 0, Last: 0 };
        if (host.First == 0 && !systemChooses)
            throw new FormatException("a range of host ports begins at 1 or above");
        if (host.Length != guest.Length && !systemChooses)
            throw new FormatException($"{host.Length} host {Ports(host)} but {guest.Length} guest {Ports(guest)}: the ranges must be of the same length");

        var mappings = new List<PortMapping>();
        for (int i = 0; i < guest.Length; i++)
        {
            int hostPort = systemChooses ? 0 : host.First + i;
            var mapping = new PortMapping(address, hostPort, guest.First + i, protocol);
            if (isBoth)
                mappings.AddRange(mapping with { GuestFamily = 0 }, new PortMapping(IPAddress.IPv6Loopback, hostPort, guest.First + i, protocol) { GuestFamily = 0 });
            else
                mappings.Add(mapping);
        }
        return mappings;
    }

    /// <summary>Cuts <c>ADDRESS:</c> off, if there is one: what is in brackets, or what has a dot or a letter before its colon.</summary>
    private static IPAddress? TakeAddress(ref string rest)
    {
        bool brackets = rest.StartsWith('[');
        string literal;
        if (brackets)
        {
            int end = rest.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || end + 1 >= rest.Length || rest[end + 1] != ':')
                throw new FormatException($"an address in brackets is followed by a colon and a port: expected {Syntax}");
            literal = rest[1..end];
            rest = rest[(end + 2)..];
        }
        else
        {
            int colon = rest.IndexOf(':', StringComparison.Ordinal);
            int colons = rest.AsSpan().Count(':');
            bool portsOnly = colon < 0 || (colons == 1 && !rest.AsSpan(0, colon).ContainsAnyExcept(PortOrRange));
            if (portsOnly)
                return null;
            if (colons > 2)
                throw TooManyColons();
            literal = rest[..colon];
            rest = rest[(colon + 1)..];
        }

        if (!AddressText.TryParse(literal, out IPAddress? address, out string? error))
            throw new FormatException(literal.Length == 0 ? "the address is empty: leave its colon out" : $"'{literal}' {error}");
        return brackets == (address.AddressFamily == AddressFamily.InterNetworkV6)
            ? address
            : throw new FormatException($"'{literal}': brackets are for IPv6 addresses, and only for them");
    }

    private static FormatException TooManyColons() => new($"too many colons (an IPv6 address goes in brackets): expected {Syntax}");

    private static string Ports(Range range) => range.Length == 1 ? "port" : "ports";

    /// <summary>A port or a range of ports, both ends included.</summary>
    private readonly record struct Range(int First, int Last)
    {
        public int Length => Last - First + 1;

        public static Range Parse(string what, uint least, string text)
        {
            string[] ends = text.Split('-', 2);
            if (ends.Contains(""))
                throw new FormatException($"the {what} is missing{(ends.Length == 1 ? "" : " on one side of the dash")}: expected {Syntax}");
            var range = new Range((int)EndpointText.ParseNumber(what, ends[0], least, 65535), (int)EndpointText.ParseNumber(what, ends[^1], least, 65535));
            return range.Last < range.First ? throw new FormatException($"the {what}s {text} run backwards: the lower comes first") : range;
        }
    }
}
