using System.Net;

namespace Wslrelay.Io;

/// <summary>The supported address families.</summary>
internal enum IoEndpointKind
{
    Tcp,
    Udp,
    Unix,

    /// <summary>AF_VSOCK; Linux only.</summary>
    Vsock,

    /// <summary>AF_HYPERV; Windows only.</summary>
    HvSocket,
}

/// <summary>An address to listen on or connect to, independent of the operating system.</summary>
internal readonly record struct IoEndpoint
{
    private IoEndpoint(IoEndpointKind kind) => Kind = kind;

    public IoEndpointKind Kind { get; }

    public IPAddress? Address { get; private init; }

    /// <summary>16 bits for TCP and UDP, 32 bits for vsock and hvsocket.</summary>
    public uint Port { get; private init; }

    /// <summary>Of a Unix socket; a leading <c>@</c> is Linux's abstract namespace.</summary>
    public string? Path { get; private init; }

    public uint Cid { get; private init; }

    public Guid VmId { get; private init; }

    public bool IsLoopback => Kind is IoEndpointKind.Tcp or IoEndpointKind.Udp && IPAddress.IsLoopback(Address!);

    /// <summary>Port 0 of a listener: the system chooses.</summary>
    public static IoEndpoint Tcp(IPAddress address, int port) => new(IoEndpointKind.Tcp) { Address = address, Port = (uint)port };

    public static IoEndpoint Udp(IPAddress address, int port) => new(IoEndpointKind.Udp) { Address = address, Port = (uint)port };

    public static IoEndpoint Unix(string path) => new(IoEndpointKind.Unix) { Path = path };

    public static IoEndpoint Vsock(uint cid, uint port) => new(IoEndpointKind.Vsock) { Cid = cid, Port = port };

    /// <summary>A Hyper-V socket; the service id is the vsock template's, made from <paramref name="port"/>.</summary>
    public static IoEndpoint HvSocket(Guid vmId, uint port) => new(IoEndpointKind.HvSocket) { VmId = vmId, Port = port };

    public override string ToString() => Kind switch
    {
        IoEndpointKind.Tcp or IoEndpointKind.Udp => new IPEndPoint(Address!, (int)Port).ToString(),
        IoEndpointKind.Unix => "unix:" + Path,
        IoEndpointKind.Vsock => $"vsock:{Cid}:{Port}",
        _ => $"hvsocket:{VmId}:{Port}",
    };
}
