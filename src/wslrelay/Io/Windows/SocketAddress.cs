using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using static Wslrelay.Io.Windows.Interop.Ws2_32;

namespace Wslrelay.Io.Windows;

/// <summary>Encodes endpoints as Windows' sockaddr_in, sockaddr_in6 and SOCKADDR_HV.</summary>
[SupportedOSPlatform("windows")]
internal static class SocketAddress
{
    /// <summary>That of SOCKADDR_HV.</summary>
    internal const int MaxLength = 36;

    /// <summary>The address family of an endpoint; null where Windows has none for it.</summary>
    internal static ushort? FamilyOf(in IoEndpoint endpoint) => endpoint.Kind switch
    {
        IoEndpointKind.Tcp or IoEndpointKind.Udp => endpoint.Address!.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET,
        IoEndpointKind.HvSocket => AF_HYPERV,
        _ => null,
    };

    /// <summary>Writes an endpoint of one of the families above; returns the length.</summary>
    internal static int Encode(in IoEndpoint endpoint, Span<byte> to)
    {
        ushort family = FamilyOf(endpoint)!.Value;
        int length = EncodeWildcard(family, (int)endpoint.Port, to);
        switch (family)
        {
            case AF_INET:
                endpoint.Address!.TryWriteBytes(to[4..8], out _);
                break;
            case AF_INET6:
                endpoint.Address!.TryWriteBytes(to[8..24], out _);
                BinaryPrimitives.WriteUInt32LittleEndian(to[24..28], (uint)endpoint.Address.ScopeId);
                break;
            default:
                endpoint.VmId.TryWriteBytes(to[4..20]);
                RelayTarget.ServiceIdOf(endpoint.Port).TryWriteBytes(to[20..36]);
                break;
        }

        return length;
    }

    /// <summary>An IPv4 or IPv6 address and its port; null for another family.</summary>
    internal static IPEndPoint? EndPoint(ReadOnlySpan<byte> name) => BinaryPrimitives.ReadUInt16LittleEndian(name) switch
    {
        AF_INET => new(new IPAddress(name[4..8]), BinaryPrimitives.ReadUInt16BigEndian(name[2..])),
        AF_INET6 => new(new IPAddress(name[8..24], BinaryPrimitives.ReadUInt32LittleEndian(name[24..])), BinaryPrimitives.ReadUInt16BigEndian(name[2..])),
        _ => null,
    };

    /// <summary>Writes the family's wildcard with a port (none for hvsocket); returns the length.</summary>
    internal static int EncodeWildcard(ushort family, int port, Span<byte> to)
    {
        int length = family switch { AF_INET => 16, AF_INET6 => 28, _ => MaxLength };
        to[..length].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(to, family);
        if (family != AF_HYPERV)
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)port);

        return length;
    }
}
