using System.Diagnostics.CodeAnalysis;

namespace RelayProtocol;

/// <summary>
/// Where a relay connects to: <c>direct</c>, <c>direct:HOST</c>, <c>tcp:HOST:PORT</c>, <c>unix:PATH</c>, <c>vsock:CID:PORT</c>,
/// <c>hvsocket:VMID:PORT</c> or <c>firecracker:PATH:PORT</c>. Immutable, compared by value; any thread.
/// </summary>
/// <remarks>Source of the syntax: the protocol document, section 2. An IPv6 host is in brackets.</remarks>
public sealed record RelayTarget
{
    private const string Kinds = "direct, direct:HOST, tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, hvsocket:VMID:PORT or firecracker:PATH:PORT";

    private RelayTarget(RelayTargetKind kind) => Kind = kind;

    /// <summary>The default: the loopback address of each mapping's own family.</summary>
    public static RelayTarget Direct { get; } = new(RelayTargetKind.Direct);

    /// <summary>How the guest is reached.</summary>
    public RelayTargetKind Kind { get; }

    /// <summary>
    /// The host, without brackets: of <c>tcp</c>, and of <c>direct</c> unless it is null, which stands for the loopback address.
    /// </summary>
    public string? Host { get; private init; }

    /// <summary>The host when it is an IP address; null when there is none or it is a name, to be resolved.</summary>
    internal IPAddress? HostAddress => Host is not null && AddressText.TryParse(Host, out IPAddress? address, out _) ? address : null;

    /// <summary>The path of the Unix socket, of <c>unix</c> and <c>firecracker</c>; at most 107 bytes of UTF-8.</summary>
    public string? Path { get; private init; }

    /// <summary>The context id of <c>vsock</c>, 0..4294967294; 2 is the host, 1 the machine itself.</summary>
    public uint Cid { get; private init; }

    /// <summary>The virtual machine's id, of <c>hvsocket</c>.</summary>
    public Guid VmId { get; private init; }

    /// <summary>
    /// The agent's port: 1..65535 for <c>tcp</c>, 0..4294967294 for <c>vsock</c>, <c>hvsocket</c> and <c>firecracker</c>, 0 for others.
    /// </summary>
    public uint Port { get; private init; }

    /// <summary>
    /// The Hyper-V service id of <c>hvsocket</c>, <c>PORT-facb-11e6-bd58-64006a7986d3</c> with the port in eight hexadecimal digits;
    /// empty for others.
    /// </summary>
    public Guid ServiceId => Kind == RelayTargetKind.HvSocket ? ServiceIdOf(Port) : Guid.Empty;

    /// <summary>Whether a guest agent is at the target, so that every connection begins with the guest preamble.</summary>
    internal bool HasAgent => Kind != RelayTargetKind.Direct;

    /// <summary>The mapped ports of one host.</summary>
    /// <param name="host">An IP address, without brackets, or a name.</param>
    /// <exception cref="FormatException">The host is neither.</exception>
    public static RelayTarget DirectTo(string host) => new(RelayTargetKind.Direct) { Host = EndpointText.CheckHost(host) };

    /// <summary>A guest agent at a TCP address.</summary>
    /// <param name="host">An IP address, without brackets, or a name.</param>
    /// <param name="port">The agent's port, 1..65535.</param>
    /// <exception cref="FormatException">The host is neither.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is out of range.</exception>
    public static RelayTarget Tcp(string host, int port)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        return new(RelayTargetKind.Tcp) { Host = EndpointText.CheckHost(host), Port = (uint)port };
    }

    /// <summary>A guest agent at a Unix domain socket.</summary>
    /// <param name="path">The socket's path, at most 107 bytes of UTF-8.</param>
    /// <exception cref="FormatException">The path is empty, too long, or holds a NUL.</exception>
    public static RelayTarget Unix(string path) => new(RelayTargetKind.Unix) { Path = EndpointText.CheckPath(path) };

    /// <summary>A guest agent at a vsock address (Linux).</summary>
    /// <param name="cid">The context id, 0..4294967294.</param>
    /// <param name="port">The agent's port, 0..4294967294.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is 4294967295, which stands for "any".</exception>
    public static RelayTarget VSock(uint cid, uint port)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(cid, uint.MaxValue);
        ArgumentOutOfRangeException.ThrowIfEqual(port, uint.MaxValue);
        return new(RelayTargetKind.VSock) { Cid = cid, Port = port };
    }

    /// <summary>A guest agent at a Hyper-V socket address (Windows); the same as <c>--vm-id</c> and <c>--port</c>.</summary>
    /// <param name="vmId">The virtual machine's id.</param>
    /// <param name="port">The agent's port, 0..4294967294.</param>
    /// <exception cref="ArgumentOutOfRangeException">The port is 4294967295, which stands for "any".</exception>
    public static RelayTarget HvSocket(Guid vmId, uint port)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(port, uint.MaxValue);
        return new(RelayTargetKind.HvSocket) { VmId = vmId, Port = port };
    }

    /// <summary>A guest agent behind a hybrid vsock socket.</summary>
    /// <param name="path">The socket's path, at most 107 bytes of UTF-8.</param>
    /// <param name="port">The agent's port, 0..4294967294.</param>
    /// <exception cref="FormatException">The path is empty, too long, or holds a NUL.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is 4294967295, which stands for "any".</exception>
    public static RelayTarget Firecracker(string path, uint port)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(port, uint.MaxValue);
        return new(RelayTargetKind.Firecracker) { Path = EndpointText.CheckPath(path), Port = port };
    }

    /// <summary>The Hyper-V service id of a vsock port. Source: HV_GUID_VSOCK_TEMPLATE of hvsocket.h.</summary>
    internal static Guid ServiceIdOf(uint port) => new(port, 0xfacb, 0x11e6, 0xbd, 0x58, 0x64, 0x00, 0x6a, 0x79, 0x86, 0xd3);

    /// <summary>Reads a target.</summary>
    /// <param name="text">The text, as <see cref="ToString"/> writes it.</param>
    /// <exception cref="FormatException">The text is not a target; the message says what is wrong and what would be right.</exception>
    public static RelayTarget Parse(string text) =>
        TryParse(text, out RelayTarget? target, out string? error) ? target : throw new FormatException(error);

    /// <summary>Reads a target, without an exception.</summary>
    /// <param name="text">The text, as <see cref="ToString"/> writes it.</param>
    /// <param name="target">The target, or null.</param>
    /// <param name="error">What is wrong and what would be right; null on success.</param>
    /// <returns>Whether the text is a target.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RelayTarget? target, [NotNullWhen(false)] out string? error) =>
        EndpointText.TryParse(text, $"an empty target: expected {Kinds}", ParseParts, out target, out error);

    /// <summary>The target's text, which <see cref="Parse"/> reads back to an equal target.</summary>
    public override string ToString() => Kind switch
    {
        RelayTargetKind.Direct => Host is null ? "direct" : $"direct:{BracketedHost}",
        RelayTargetKind.Tcp => $"tcp:{BracketedHost}:{Port}",
        RelayTargetKind.Unix => $"unix:{Path}",
        RelayTargetKind.VSock => $"vsock:{Cid}:{Port}",
        RelayTargetKind.HvSocket => $"hvsocket:{VmId}:{Port}",
        _ => $"firecracker:{Path}:{Port}",
    };

    private string? BracketedHost => Host is not null && Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;

    private static RelayTarget ParseParts(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string rest = colon < 0 ? "" : text[(colon + 1)..];
        return kind switch
        {
            "direct" when colon < 0 => Direct,
            "direct" => ParseDirect(rest),
            "tcp" when colon < 0 => throw new FormatException("the host is missing: expected tcp:HOST:PORT"),
            "tcp" => ParseTcp(rest),
            "unix" => Unix(rest.Length > 0 ? rest : throw new FormatException("the path is missing: expected unix:PATH")),
            "vsock" => ParseVSock(rest.Split(':')),
            "hvsocket" => ParseHvSocket(rest.Split(':')),
            "firecracker" => ParseFirecracker(rest),
            _ => throw new FormatException($"'{kind}' is not a kind of target: expected {Kinds}"),
        };
    }

    private static RelayTarget ParseDirect(string rest) => EndpointText.SplitHost(rest) is (string host, null)
        ? DirectTo(host)
        : throw new FormatException("direct takes no port (each mapping has its own): expected direct or direct:HOST");

    private static RelayTarget ParseTcp(string rest) => EndpointText.SplitHost(rest) is (string host, string port)
        ? Tcp(host, (int)EndpointText.ParseNumber("port", port, 1, 65535))
        : throw new FormatException("the port is missing: expected tcp:HOST:PORT");

    private static RelayTarget ParseVSock(string[] parts) => parts.Length == 2
        ? VSock(EndpointText.ParseNumber("context id", parts[0], 0, EndpointText.MaxVSockNumber), EndpointText.ParseVSockPort(parts[1]))
        : throw new FormatException("expected vsock:CID:PORT, two numbers");

    private static RelayTarget ParseHvSocket(string[] parts)
    {
        if (parts.Length != 2)
            throw new FormatException("expected hvsocket:VMID:PORT, a virtual machine's GUID and a number");
        // "D" is dashes without braces; "B" with braces, as other tools print it.
        return Guid.TryParseExact(parts[0], "D", out Guid vmId) || Guid.TryParseExact(parts[0], "B", out vmId)
            ? HvSocket(vmId, EndpointText.ParseVSockPort(parts[1]))
            : throw new FormatException($"'{parts[0]}' is not a GUID such as 0cb41c0b-fd26-4a41-8370-dccb048e216e");
    }

    private static RelayTarget ParseFirecracker(string rest)
    {
        // The last colon: the path may contain others.
        int colon = rest.LastIndexOf(':');
        return colon < 0
            ? throw new FormatException("expected firecracker:PATH:PORT")
            : Firecracker(EndpointText.CheckPath(rest[..colon]), EndpointText.ParseVSockPort(rest[(colon + 1)..]));
    }
}

/// <summary>How a relay reaches a guest's ports.</summary>
public enum RelayTargetKind
{
    /// <summary>The port itself, at a host or at the loopback address: no guest agent.</summary>
    Direct = 0,

    /// <summary>A guest agent at a TCP address.</summary>
    Tcp,

    /// <summary>A guest agent at a Unix domain socket.</summary>
    Unix,

    /// <summary>A guest agent at a vsock address (Linux).</summary>
    VSock,

    /// <summary>A guest agent at a Hyper-V socket address (Windows).</summary>
    HvSocket,

    /// <summary>A guest agent behind a hybrid vsock socket, as Firecracker offers it: a Unix socket that is told the port.</summary>
    Firecracker,
}
