using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>The ENDPOINT of <c>guest --listen</c>: <c>tcp:HOST:PORT</c>, <c>unix:PATH</c> or <c>vsock:PORT</c>.</summary>
/// <param name="Endpoint">Where to listen.</param>
/// <param name="Text">As it was given.</param>
internal sealed record ListenEndpoint(IoEndpoint Endpoint, string Text)
{
    // VMADDR_CID_ANY of vsock(7).
    private const uint AnyCid = uint.MaxValue;

    /// <exception cref="FormatException">The message says what is wrong and what would be right.</exception>
    internal static ListenEndpoint Parse(string text)
    {
        string[] parts = text.Split(':', 2);
        string rest = parts.Length == 2 ? parts[1] : "";
        IoEndpoint endpoint = parts[0] switch
        {
            "tcp" => ParseTcp(rest),
            "unix" when rest.Length > 0 => IoEndpoint.Unix(rest),
            "vsock" => IoEndpoint.Vsock(AnyCid, EndpointText.ParseVSockPort(rest)),
            _ => throw new FormatException($"'{text}' is not tcp:HOST:PORT (HOST an address, an IPv6 one in brackets), unix:PATH or vsock:PORT"),
        };
        return new ListenEndpoint(endpoint, text);
    }

    private static IoEndpoint ParseTcp(string rest)
    {
        (string host, string? port) = EndpointText.SplitHost(rest);
        if (host == "localhost")
            host = "127.0.0.1";
        return AddressText.TryParse(host, out IPAddress? address, out string? error)
            ? IoEndpoint.Tcp(address, (int)EndpointText.ParseNumber("port", port ?? "", 0, 65535))
            : throw new FormatException($"'{host}' {error}");
    }
}
