using System.Net;

namespace Wslrelay.Io;

/// <summary>An address to listen on or connect to, independent of the operating system.</summary>
internal readonly record struct IoEndpoint
{
    private IoEndpoint(IoEndpointKind kind) => Kind = kind;

    /// <summary>The family; it determines which of the members below are set.</summary>
    public IoEndpointKind Kind { get; }

    /// <summary>The address of a <see cref="IoEndpointKind.Tcp"/> endpoint.</summary>
    public IPAddress? Address { get; private init; }

    /// <summary>The port: 16 bits for TCP, 32 bits for vsock and hvsocket.</summary>
    public uint Port { get; private init; }

    /// <summary>The path of a <see cref="IoEndpointKind.Unix"/> endpoint; a leading <c>@</c> is Linux's abstract namespace.</summary>
    public string? Path { get; private init; }

    /// <summary>The context id of a <see cref="IoEndpointKind.Vsock"/> endpoint.</summary>
    public uint Cid { get; private init; }

    /// <summary>The virtual machine of a <see cref="IoEndpointKind.HvSocket"/> endpoint.</summary>
    public Guid VmId { get; private init; }

    /// <summary>A TCP endpoint on a loopback address.</summary>
    public bool IsLoopback => Kind == IoEndpointKind.Tcp && IPAddress.IsLoopback(Address!);

    /// <summary>An IPv4 or IPv6 address and a port, 0 to 65535 (0 for a listener: the system chooses).</summary>
    public static IoEndpoint Tcp(IPAddress address, int port) => new(IoEndpointKind.Tcp) { Address = address, Port = (uint)port };

    /// <summary>A Unix socket's path.</summary>
    public static IoEndpoint Unix(string path) => new(IoEndpointKind.Unix) { Path = path };

    /// <summary>A Linux vsock address.</summary>
    public static IoEndpoint Vsock(uint cid, uint port) => new(IoEndpointKind.Vsock) { Cid = cid, Port = port };

    /// <summary>A Hyper-V socket; the service id is the vsock template's, made from <paramref name="port"/>.</summary>
    public static IoEndpoint HvSocket(Guid vmId, uint port) => new(IoEndpointKind.HvSocket) { VmId = vmId, Port = port };

    public override string ToString() => Kind switch
    {
        IoEndpointKind.Tcp => new IPEndPoint(Address!, (int)Port).ToString(),
        IoEndpointKind.Unix => "unix:" + Path,
        IoEndpointKind.Vsock => $"vsock:{Cid}:{Port}",
        _ => $"hvsocket:{VmId}:{Port}",
    };
}
