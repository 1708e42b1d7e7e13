using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Io;

/// <summary>
/// An IPv4 or IPv6 address and port: a value, so that a dictionary of the senders of datagrams allocates nothing for each. The default stands for no
/// address.
/// </summary>
/// <param name="High">The first eight bytes of an IPv6 address.</param>
/// <param name="Low">Its last eight bytes, or the four of an IPv4 address.</param>
/// <param name="Scope">The interface of a link-local address; of one that was received, 0 for every other.</param>
/// <param name="Port">The port.</param>
/// <param name="Version">4 or 6; 0 for no address.</param>
internal readonly record struct InternetAddress(ulong High, ulong Low, uint Scope, ushort Port, byte Version)
{
    internal const int MaxSize = 28;

    internal bool IsEmpty => Version == 0;

    internal bool IsV6 => Version == 6;

    internal static InternetAddress Of(IPAddress address, uint port)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? ReadV6(bytes, (ushort)port, 0) with { Scope = (uint)address.ScopeId }
            : ReadV4(bytes, (ushort)port);
    }

    /// <summary>Reads a sockaddr_in or sockaddr_in6, whose layouts every system shares but for the family's number.</summary>
    internal static InternetAddress Read(ReadOnlySpan<byte> native, bool isV6)
    {
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(native[2..]);
        return isV6
            ? ReadV6(native[8..24], port, BitConverter.ToUInt32(native[24..]))
            : ReadV4(native[4..8], port);
    }

    internal static InternetAddress ReadV4(ReadOnlySpan<byte> address, ushort port = 0) =>
        new(0, BinaryPrimitives.ReadUInt32BigEndian(address), 0, port, Version: 4);

    /// <summary>The scope counts only where the address is incomplete without it.</summary>
    internal static InternetAddress ReadV6(ReadOnlySpan<byte> address, ushort port, uint scope)
    {
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(address);
        bool isLinkLocal = high >> 54 == 0xFE80 >> 6;
        return new InternetAddress(high, BinaryPrimitives.ReadUInt64BigEndian(address[8..]), isLinkLocal ? scope : 0, port, Version: 6);
    }

    /// <summary>Writes the sockaddr; returns its length.</summary>
    internal int Write(Span<byte> native, ushort family)
    {
        int size = IsV6 ? MaxSize : 16;
        native[..size].Clear();
        _ = BitConverter.TryWriteBytes(native, family);
        BinaryPrimitives.WriteUInt16BigEndian(native[2..], Port);
        WriteAddress(native[(IsV6 ? 8 : 4)..]);
        if (IsV6)
            _ = BitConverter.TryWriteBytes(native[24..], Scope);

        return size;
    }

    /// <summary>Writes the 4 or 16 bytes of the address alone.</summary>
    internal void WriteAddress(Span<byte> native)
    {
        if (!IsV6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(native, (uint)Low);
            return;
        }

        BinaryPrimitives.WriteUInt64BigEndian(native, High);
        BinaryPrimitives.WriteUInt64BigEndian(native[8..], Low);
    }

    // Seeded anew in each process: nobody can choose addresses that collide.
    public override int GetHashCode() => HashCode.Combine(High, Low, Port);

    /// <summary>Null for no address.</summary>
    internal IPEndPoint? ToEndPoint()
    {
        if (IsEmpty)
            return null;

        Span<byte> address = stackalloc byte[IsV6 ? 16 : 4];
        WriteAddress(address);
        return new IPEndPoint(IsV6 ? new IPAddress(address, Scope) : new IPAddress(address), Port);
    }
}
