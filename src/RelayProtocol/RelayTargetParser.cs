using System.Diagnostics.CodeAnalysis;

namespace RelayProtocol;

/// <summary>Reads the text of a <see cref="RelayTarget"/>; each failure says what is wrong and what would be right.</summary>
internal static class RelayTargetParser
{
    private const string Kinds = "direct, direct:HOST, tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT";

    // 4294967295 stands for "any" in vsock and hvsocket addresses.
    private const uint MaxVSockNumber = uint.MaxValue - 1;

    internal static bool TryParse(string? text, [NotNullWhen(true)] out RelayTarget? target, [NotNullWhen(false)] out string? error)
    {
        target = null;
        error = null;
        if (string.IsNullOrEmpty(text))
        {
            error = $"an empty target: expected {Kinds}";
            return false;
        }
        string[] parts = text.Split(':', 2);
        try
        {
            target = Parse(parts[0], parts.Length == 2 ? parts[1] : null);
            return true;
        }
        catch (FormatException problem)
        {
            error = $"{text}: {problem.Message}";
            return false;
        }
    }

    private static RelayTarget Parse(string kind, string? rest) => kind switch
    {
        "direct" when rest is null => RelayTarget.Direct,
        "direct" => ParseDirect(rest),
        "tcp" => ParseTcp(rest ?? throw new FormatException("the host is missing: expected tcp:HOST:PORT")),
        "unix" => RelayTarget.Unix(string.IsNullOrEmpty(rest) ? throw new FormatException("the path is missing: expected unix:PATH") : rest),
        "vsock" => ParseVSock(rest ?? ""),
        "hvsocket" => ParseHvSocket(rest ?? ""),
        "firecracker" => ParseFirecracker(rest ?? ""),
        _ => throw new FormatException($"'{kind}' is not a kind of target: expected {Kinds}"),
    };

    private static RelayTarget ParseDirect(string rest)
    {
        (string host, string? port) = EndpointText.SplitHost(rest);
        return port is null
            ? RelayTarget.DirectTo(host)
            : throw new FormatException("direct takes no port (each mapping has its own): expected direct or direct:HOST");
    }

    private static RelayTarget ParseTcp(string rest)
    {
        (string host, string? port) = EndpointText.SplitHost(rest);
        return port is null
            ? throw new FormatException("the port is missing: expected tcp:HOST:PORT")
            : RelayTarget.Tcp(host, (int)EndpointText.ParseNumber("port", port, 1, 65535));
    }

    private static RelayTarget ParseVSock(string rest)
    {
        string[] parts = rest.Split(':');
        return parts.Length != 2
            ? throw new FormatException("expected vsock:CID:PORT, two numbers")
            : RelayTarget.VSock(EndpointText.ParseNumber("context id", parts[0], 0, MaxVSockNumber), ParsePort(parts[1]));
    }

    private static RelayTarget ParseHvSocket(string rest)
    {
        string[] parts = rest.Split(':');
        if (parts.Length != 2)
            throw new FormatException("expected hvsocket:VMID:PORT, a virtual machine's GUID and a number");
        // "D" is dashes without braces; "B" with braces, as other tools print it.
        return Guid.TryParseExact(parts[0], "D", out Guid vmId) || Guid.TryParseExact(parts[0], "B", out vmId)
            ? RelayTarget.HvSocket(vmId, ParsePort(parts[1]))
            : throw new FormatException($"'{parts[0]}' is not a GUID such as 0cb41c0b-fd26-4a41-8370-dccb048e216e");
    }

    private static RelayTarget ParseFirecracker(string rest)
    {
        // The last colon: the path may contain others.
        int colon = rest.LastIndexOf(':');
        return colon < 0
            ? throw new FormatException("expected firecracker:PATH:PORT")
            : RelayTarget.Firecracker(EndpointText.CheckPath(rest[..colon]), ParsePort(rest[(colon + 1)..]));
    }

    private static uint ParsePort(string text) => EndpointText.ParseNumber("port", text, 0, MaxVSockNumber);
}
