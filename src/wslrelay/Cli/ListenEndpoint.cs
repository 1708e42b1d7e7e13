using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>Parses the ENDPOINT of <c>guest --listen</c>: <c>tcp:HOST:PORT</c>, <c>unix:PATH</c> or <c>vsock:PORT</c>.</summary>
internal static class ListenEndpoint
{
    // VMADDR_CID_ANY of vsock(7).
    private const uint AnyCid = uint.MaxValue;

    /// <summary>Parses; on failure the error says what is wrong and what would be right.</summary>
    internal static bool TryParse(string text, out IoEndpoint endpoint, [NotNullWhen(false)] out string? error)
    {
        endpoint = default;
        error = null;
        string[] parts = text.Split(':', 2);
        string rest = parts.Length == 2 ? parts[1] : "";
        switch (parts[0])
        {
            case "unix" when rest.Length > 0:
                endpoint = IoEndpoint.Unix(rest);
                return true;
            case "vsock" when uint.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out uint port) && port != uint.MaxValue:
                endpoint = IoEndpoint.Vsock(AnyCid, port);
                return true;
            case "tcp":
                int colon = rest.LastIndexOf(':');
                if (colon > 0 && TryParseHost(rest[..colon], out IPAddress? address)
                    && ushort.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort tcpPort))
                {
                    endpoint = IoEndpoint.Tcp(address, tcpPort);
                    return true;
                }

                break;
        }

        error = $"'{text}' is not tcp:HOST:PORT (HOST an address, an IPv6 one in brackets), unix:PATH or vsock:PORT";
        return false;
    }

    private static bool TryParseHost(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        if (host == "localhost")
        {
            address = IPAddress.Loopback;
            return true;
        }

        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        return IPAddress.TryParse(host, out address) && bracketed == host.Contains(':', StringComparison.Ordinal);
    }
}
