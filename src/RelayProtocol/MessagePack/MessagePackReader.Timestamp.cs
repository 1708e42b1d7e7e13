namespace RelayProtocol.MessagePack;

/// <content>The timestamp extension.</content>
public ref partial struct MessagePackReader
{
    /// <summary>Reads a timestamp of any of its three lengths.</summary>
    /// <returns>The instant in UTC, to 100 ns; what is finer is cut off.</returns>
    /// <remarks>Source: "Timestamp extension type" in the MessagePack specification.</remarks>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">
    /// Another type is next, or the length is not 4, 8 or 12, or there are 10^9 nanoseconds or more, or the instant is outside of the
    /// years 1 .. 9999.
    /// </exception>
    public DateTime ReadDateTime() => ReadDateTime(ReadExtensionFormatHeader());

    /// <summary>Reads what follows the header of a timestamp.</summary>
    /// <param name="header">The header, already read.</param>
    /// <inheritdoc cref="ReadDateTime()" path="/returns|/exception"/>
    public DateTime ReadDateTime(ExtensionHeader header)
    {
        if (header.TypeCode != ReservedMessagePackExtensionTypeCode.DateTime)
        {
            throw new MessagePackSerializationException($"Extension TypeCode is invalid. typeCode: {header.TypeCode}");
        }

        switch (header.Length)
        {
            case 4:
                return ToDateTime((long)TakeBigEndian(4), 0);
            case 8:
                ulong bits = TakeBigEndian(8);
                return ToDateTime((long)(bits & 0x3_ffff_ffff), (uint)(bits >> 34));
            case 12:
                uint nanoseconds = (uint)TakeBigEndian(4);
                return ToDateTime((long)TakeBigEndian(8), nanoseconds);
            default:
                throw new MessagePackSerializationException($"Length of extension was {header.Length}. 4, 8 or 12 were expected.");
        }
    }

    private static DateTime ToDateTime(long seconds, uint nanoseconds)
    {
        const long firstSecond = -62_135_596_800; // 0001-01-01T00:00:00Z
        const long lastSecond = 253_402_300_799;  // 9999-12-31T23:59:59Z
        if (nanoseconds > 999_999_999 || seconds is < firstSecond or > lastSecond)
        {
            throw new MessagePackSerializationException($"Timestamp out of range: {seconds} seconds and {nanoseconds} nanoseconds.");
        }

        return DateTime.UnixEpoch.AddTicks((seconds * TimeSpan.TicksPerSecond) + (nanoseconds / TimeSpan.NanosecondsPerTick));
    }

    private ulong TakeBigEndian(int size)
    {
        if (_reader.Remaining < size)
        {
            throw new EndOfStreamException();
        }

        ulong value = 0;
        while (size-- > 0)
        {
            _reader.TryRead(out byte next);
            value = (value << 8) | next;
        }

        return value;
    }
}
