namespace RelayProtocol;

/// <summary>Reads the text of a <see cref="RelayTarget"/>; each failure says what is wrong and what would be right.</summary>
internal static class RelayTargetParser
{
    internal const string Kinds = "direct, direct:HOST, tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT";

    /// <exception cref="FormatException">The text is not a target.</exception>
    internal static RelayTarget Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string rest = colon < 0 ? "" : text[(colon + 1)..];
        return kind switch
        {
            "direct" when colon < 0 => RelayTarget.Direct,
            "direct" => ParseDirect(rest),
            "tcp" when colon < 0 => throw new FormatException("the host is missing: expected tcp:HOST:PORT"),
            "tcp" => ParseTcp(rest),
            "unix" => RelayTarget.Unix(rest.Length > 0 ? rest : throw new FormatException("the path is missing: expected unix:PATH")),
            "vsock" => ParseVSock(rest.Split(':')),
            "hvsocket" => ParseHvSocket(rest.Split(':')),
            "firecracker" => ParseFirecracker(rest),
            _ => throw new FormatException($"'{kind}' is not a kind of target: expected {Kinds}"),
        };
    }

    private static RelayTarget ParseDirect(string rest) => EndpointText.SplitHost(rest) is (string host, null)
        ? RelayTarget.DirectTo(host)
        : throw new FormatException("direct takes no port (each mapping has its own): expected direct or direct:HOST");

    private static RelayTarget ParseTcp(string rest) => EndpointText.SplitHost(rest) is (string host, string port)
        ? RelayTarget.Tcp(host, (int)EndpointText.ParseNumber("port", port, 1, 65535))
        : throw new FormatException("the port is missing: expected tcp:HOST:PORT");

    private static RelayTarget ParseVSock(string[] parts) => parts.Length == 2
        ? RelayTarget.VSock(EndpointText.ParseNumber("context id", parts[0], 0, EndpointText.MaxVSockNumber), EndpointText.ParseVSockPort(parts[1]))
        : throw new FormatException("expected vsock:CID:PORT, two numbers");

    private static RelayTarget ParseHvSocket(string[] parts)
    {
        if (parts.Length != 2)
            throw new FormatException("expected hvsocket:VMID:PORT, a virtual machine's GUID and a number");
        // "D" is dashes without braces; "B" with braces, as other tools print it.
        return Guid.TryParseExact(parts[0], "D", out Guid vmId) || Guid.TryParseExact(parts[0], "B", out vmId)
            ? RelayTarget.HvSocket(vmId, EndpointText.ParseVSockPort(parts[1]))
            : throw new FormatException($"'{parts[0]}' is not a GUID such as 0cb41c0b-fd26-4a41-8370-dccb048e216e");
    }

    private static RelayTarget ParseFirecracker(string rest)
    {
        // The last colon: the path may contain others.
        int colon = rest.LastIndexOf(':');
        return colon < 0
            ? throw new FormatException("expected firecracker:PATH:PORT")
            : RelayTarget.Firecracker(EndpointText.CheckPath(rest[..colon]), EndpointText.ParseVSockPort(rest[(colon + 1)..]));
    }
}
