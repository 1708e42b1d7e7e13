using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>The kernel's socket addresses: sockaddr_in (ip(7)), sockaddr_in6 (ipv6(7)), sockaddr_un (unix(7)), sockaddr_vm (vsock(7)).</summary>
[SupportedOSPlatform("linux")]
internal static class SocketAddress
{
    /// <summary>Enough for every family here.</summary>
    internal const int MaxSize = 110;

    private const int UnixPathOffset = 2;
    private const int UnixPathMax = 108;

    internal static int Domain(in IoEndpoint endpoint) => endpoint.Kind switch
    {
        IoEndpointKind.Tcp or IoEndpointKind.Udp => endpoint.Address!.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET,
        IoEndpointKind.Unix => Libc.AF_UNIX,
        IoEndpointKind.Vsock => Libc.AF_VSOCK,
        _ => throw new IoException(IoError.NotSupported, 0, $"{endpoint}: Hyper-V sockets exist on Windows only; use vsock or a Unix socket here"),
    };

    /// <summary>A new socket for the endpoint: its descriptor, or a negative errno.</summary>
    internal static int Open(in IoEndpoint endpoint) => Open(Domain(endpoint), endpoint.Kind == IoEndpointKind.Udp ? Libc.SOCK_DGRAM : Libc.SOCK_STREAM);

    /// <summary>A new socket: its descriptor, or a negative errno.</summary>
    internal static int Open(int domain, int type) => Errno.Result(Libc.socket(domain, type | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0));

    /// <summary>Writes the address; returns its length.</summary>
    /// <exception cref="IoException">A path that is too long, or a family that this system does not have.</exception>
    internal static int Write(in IoEndpoint endpoint, Span<byte> address)
    {
        address.Clear();
        int domain = Domain(endpoint);
        BinaryPrimitives.WriteUInt16LittleEndian(address, (ushort)domain);
        switch (domain)
        {
            case Libc.AF_INET or Libc.AF_INET6:
                return InternetAddress.Of(endpoint.Address!, endpoint.Port).Write(address, (ushort)domain);
            case Libc.AF_VSOCK:
                BinaryPrimitives.WriteUInt32LittleEndian(address[4..], endpoint.Port);
                BinaryPrimitives.WriteUInt32LittleEndian(address[8..], endpoint.Cid);
                return 16;
            default:
                return WriteUnix(endpoint.Path!, address);
        }
    }

    /// <summary>An IPv4 or IPv6 address; the default for another family.</summary>
    internal static InternetAddress Read(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16LittleEndian(address) switch
    {
        Libc.AF_INET => InternetAddress.Read(address, isV6: false),
        Libc.AF_INET6 => InternetAddress.Read(address, isV6: true),
        _ => default,
    };

    /// <summary>The context id of a vsock address; null for another family.</summary>
    internal static uint? Cid(ReadOnlySpan<byte> address) =>
        BinaryPrimitives.ReadUInt16LittleEndian(address) == Libc.AF_VSOCK ? BinaryPrimitives.ReadUInt32LittleEndian(address[8..]) : null;

    private static int WriteUnix(string path, Span<byte> address)
    {
        int length = Encoding.UTF8.GetByteCount(path);
        if (length >= UnixPathMax)
            throw new IoException(IoError.Failed, Errno.EINVAL, $"unix:{path}: a Unix socket's path is at most {UnixPathMax - 1} bytes long");

        _ = Encoding.UTF8.GetBytes(path, address[UnixPathOffset..]);
        bool isAbstract = path.StartsWith('@');
        if (isAbstract)
            address[UnixPathOffset] = 0;

        return UnixPathOffset + length + (isAbstract ? 0 : 1);
    }
}
