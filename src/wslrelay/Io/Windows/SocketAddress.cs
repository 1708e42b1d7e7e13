using System.Buffers.Binary;
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
        if (endpoint.Address is not null)
            return InternetAddress.Of(endpoint.Address, endpoint.Port).Write(to, family);

        int length = EncodeWildcard(family, 0, to);
        endpoint.VmId.TryWriteBytes(to[4..20]);
        RelayTarget.ServiceIdOf(endpoint.Port).TryWriteBytes(to[20..36]);
        return length;
    }

    /// <summary>An IPv4 or IPv6 address; the default for another family.</summary>
    internal static InternetAddress Read(ReadOnlySpan<byte> name) => BinaryPrimitives.ReadUInt16LittleEndian(name) switch
    {
        AF_INET => InternetAddress.Read(name, isV6: false),
        AF_INET6 => InternetAddress.Read(name, isV6: true),
        _ => default,
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
