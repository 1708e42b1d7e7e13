using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace RelayProtocol;

/// <summary>Reads the command line's <c>[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp]</c>.</summary>
internal static class PortMappingSpec
{
    private static readonly SearchValues<char> PortOrRange = SearchValues.Create("0123456789-");

    private const string Syntax = "[ADDRESS:]HOSTPORT[-LAST][:GUESTPORT[-LAST]][/tcp], such as 8080, 8080:80, 127.0.0.1:0:80, "
        + "[::1]:8080:80 or 3000-3009:4000-4009";

    internal static bool TryParse(
        string? text, [NotNullWhen(true)] out IReadOnlyList<PortMapping>? mappings, [NotNullWhen(false)] out string? error)
    {
        mappings = null;
        if (string.IsNullOrEmpty(text))
        {
            error = $"an empty mapping: expected {Syntax}";
            return false;
        }
        error = Parse(text, out mappings);
        error = error is null ? null : $"{text}: {error}";
        return error is null;
    }

    private static string? Parse(string text, out IReadOnlyList<PortMapping>? mappings)
    {
        mappings = null;
        string rest = text;
        int slash = rest.LastIndexOf('/');
        if (slash >= 0)
        {
            string protocol = rest[(slash + 1)..];
            rest = rest[..slash];
            if (protocol != "tcp")
                return protocol == "udp" ? "udp is not supported yet: only tcp is" : $"'{protocol}' is not a protocol: expected tcp";
        }

        string? error = TakeAddress(ref rest, out IPAddress? address);
        if (error is not null)
            return error;

        string[] parts = rest.Split(':');
        if (parts.Length > 2)
            return $"too many colons (an IPv6 address goes in brackets): expected {Syntax}";
        error = Range.Parse("host port", 0, parts[0], out Range host);
        if (error is not null)
            return error;
        Range guest = host;
        if (parts.Length == 2)
        {
            error = Range.Parse("guest port", 1, parts[1], out guest);
            if (error is not null)
                return error;
        }
        else if (host.First == 0)
        {
            return "host port 0 (the system chooses) needs a guest port: 0:GUESTPORT";
        }

        bool systemChooses = host is { First: 0, Last: 0 };
        if (host.First == 0 && !systemChooses)
            return "a range of host ports begins at 1 or above";
        if (host.Length != guest.Length && !systemChooses)
            return $"{host.Length} host {Ports(host)} but {guest.Length} guest {Ports(guest)}: the ranges must be of the same length";

        var list = new PortMapping[guest.Length];
        for (int i = 0; i < list.Length; i++)
            list[i] = new PortMapping(address ?? IPAddress.Loopback, systemChooses ? 0 : host.First + i, guest.First + i);
        mappings = list;
        return null;
    }

    /// <summary>Cuts <c>ADDRESS:</c> off, if there is one: what is in brackets, or what has a dot or a letter before its colon.</summary>
    private static string? TakeAddress(ref string rest, out IPAddress? address)
    {
        address = null;
        bool brackets = rest.StartsWith('[');
        string literal;
        if (brackets)
        {
            int end = rest.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || end + 1 >= rest.Length || rest[end + 1] != ':')
                return $"an address in brackets is followed by a colon and a port: expected {Syntax}";
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
                return $"too many colons (an IPv6 address goes in brackets): expected {Syntax}";
            literal = rest[..colon];
            rest = rest[(colon + 1)..];
        }

        if (!AddressText.TryParse(literal, out address, out string? error))
            return literal.Length == 0 ? "the address is empty: leave its colon out" : $"'{literal}' {error}";
        return brackets == (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
            ? null
            : $"'{literal}': brackets are for IPv6 addresses, and only for them";
    }

    private static string Ports(Range range) => range.Length == 1 ? "port" : "ports";

    /// <summary>A port or a range of ports, both ends included.</summary>
    private readonly record struct Range(int First, int Last)
    {
        public int Length => Last - First + 1;

        public static string? Parse(string what, int least, string text, out Range range)
        {
            range = default;
            int dash = text.IndexOf('-', StringComparison.Ordinal);
            string first = dash < 0 ? text : text[..dash];
            string last = dash < 0 ? text : text[(dash + 1)..];
            foreach (string end in (string[])[first, last])
            {
                if (end.Length == 0)
                    return $"the {what} is missing{(dash < 0 ? "" : " on one side of the dash")}: expected {Syntax}";
                if (end.AsSpan().ContainsAnyExceptInRange('0', '9'))
                    return $"the {what} '{end}' is not a number";
                if (!int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < least || number > 65535)
                    return $"the {what} {end} is out of range {least}..65535";
            }
            range = new Range(int.Parse(first, CultureInfo.InvariantCulture), int.Parse(last, CultureInfo.InvariantCulture));
            return range.Last < range.First ? $"the {what}s {text} run backwards: the lower comes first" : null;
        }
    }
}
