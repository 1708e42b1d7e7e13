using System.Buffers.Binary;
using System.Net;

namespace Wslrelay.Relaying;

/// <summary>
/// The PROXY protocol's header, version 2, which tells a server the client's address. Source: HAProxy's doc/proxy-protocol.txt, section 2.2. Stateless; any thread.
/// </summary>
internal static class ProxyHeader
{
    /// <summary>Bytes of the longest, that of IPv6.</summary>
    internal const int MaxSize = HeadSize + 36;

    private const int HeadSize = 16;
    private const byte Version2Proxy = 0x21;
    private const byte TcpOverIPv4 = 0x11;
    private const byte TcpOverIPv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Writes a header, of no address where the client is gone already; returns its length.</summary>
    internal static int Write(IPEndPoint? client, IPEndPoint? accepted, Span<byte> to)
    {
        to[..HeadSize].Clear();
        Signature.CopyTo(to);
        to[12] = Version2Proxy;
        if (client is null || accepted is null)
            return HeadSize;

        Span<byte> addresses = to[HeadSize..];
        _ = client.Address.TryWriteBytes(addresses, out int size);
        _ = accepted.Address.TryWriteBytes(addresses[size..], out _);
        Span<byte> ports = addresses[(2 * size)..];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports[2..], (ushort)accepted.Port);
        int length = (2 * size) + 4;
        to[13] = size == 4 ? TcpOverIPv4 : TcpOverIPv6;
        BinaryPrimitives.WriteUInt16BigEndian(to[14..], (ushort)length);
        return HeadSize + length;
    }
}
