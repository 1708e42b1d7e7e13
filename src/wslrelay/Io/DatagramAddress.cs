using System.Buffers.Binary;
using System.Net;

namespace Wslrelay.Io;

/// <summary>
/// The address and port of a datagram's sender, or the address that it was sent to: a value, so that a dictionary of senders allocates nothing for each.
/// The default stands for no address.
/// </summary>
internal readonly struct DatagramAddress(bool isV6, ulong high, ulong low, ushort port, uint scope) : IEquatable<DatagramAddress>
{
    internal const int MaxSize = 28;

    private readonly ulong _high = high;
    private readonly ulong _low = low;
    private readonly uint _scope = scope;
    private readonly ushort _port = port;
    private readonly byte _family = (byte)(isV6 ? 6 : 4);

    internal bool IsEmpty => _family == 0;

    internal bool IsV6 => _family == 6;

    /// <summary>The interface of a link-local address; 0 for every other.</summary>
    internal uint Scope => _scope;

    private bool IsLinkLocal => _high >> 54 == 0xFE80 >> 6;

    /// <summary>Reads a sockaddr_in or sockaddr_in6, whose layouts every system shares but for the family's number.</summary>
    internal static DatagramAddress Read(ReadOnlySpan<byte> native, bool isV6)
    {
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(native[2..]);
        return isV6
            ? ReadV6(native[8..24], port, BitConverter.ToUInt32(native[24..]))
            : ReadV4(native[4..8], port);
    }

    internal static DatagramAddress ReadV4(ReadOnlySpan<byte> address, ushort port = 0) =>
        new(isV6: false, 0, BinaryPrimitives.ReadUInt32BigEndian(address), port, 0);

    /// <summary>The scope counts only where the address is incomplete without it.</summary>
    internal static DatagramAddress ReadV6(ReadOnlySpan<byte> address, ushort port, uint scope)
    {
        DatagramAddress read = new(isV6: true, BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), port, scope);
        return read.IsLinkLocal ? read : new DatagramAddress(isV6: true, read._high, read._low, port, 0);
    }

    /// <summary>Writes the sockaddr; returns its length.</summary>
    internal int Write(Span<byte> native, ushort family)
    {
        int size = IsV6 ? MaxSize : 16;
        native[..size].Clear();
        _ = BitConverter.TryWriteBytes(native, family);
        BinaryPrimitives.WriteUInt16BigEndian(native[2..], _port);
        WriteAddress(native[(IsV6 ? 8 : 4)..]);
        if (IsV6)
            _ = BitConverter.TryWriteBytes(native[24..], _scope);

        return size;
    }

    /// <summary>Writes the 4 or 16 bytes of the address alone.</summary>
    internal void WriteAddress(Span<byte> native)
    {
        if (!IsV6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(native, (uint)_low);
            return;
        }

        BinaryPrimitives.WriteUInt64BigEndian(native, _high);
        BinaryPrimitives.WriteUInt64BigEndian(native[8..], _low);
    }

    public bool Equals(DatagramAddress other) =>
        _low == other._low && _port == other._port && _high == other._high && _scope == other._scope && _family == other._family;

    public override bool Equals(object? obj) => obj is DatagramAddress other && Equals(other);

    // Seeded anew in each process: nobody can choose addresses that collide.
    public override int GetHashCode() => HashCode.Combine(_high, _low, _port);

    internal IPEndPoint ToEndPoint()
    {
        Span<byte> address = stackalloc byte[IsV6 ? 16 : 4];
        WriteAddress(address);
        return new IPEndPoint(IsV6 ? new IPAddress(address, _scope) : new IPAddress(address), _port);
    }
}
