namespace RelayProtocol.MessagePack;

/// <content>Nil, booleans, integers, characters and floating point numbers.</content>
public ref partial struct MessagePackWriter
{
    /// <summary>Tells how many bytes an integer takes in its shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    /// <returns>1, 2, 3, 5 or 9.</returns>
    public static int GetEncodedLength(long value) => value switch
    {
        >= 0 => GetEncodedLength((ulong)value),
        >= MessagePackRange.MinFixNegativeInt => 1,
        >= sbyte.MinValue => 2,
        >= short.MinValue => 3,
        >= int.MinValue => 5,
        _ => 9,
    };

    /// <summary>Tells how many bytes an integer takes in its shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    /// <returns>1, 2, 3, 5 or 9.</returns>
    public static int GetEncodedLength(ulong value) => value switch
    {
        <= MessagePackRange.MaxFixPositiveInt => 1,
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        <= uint.MaxValue => 5,
        _ => 9,
    };

    /// <summary>Writes nil.</summary>
    public void WriteNil() => Put(MessagePackCode.Nil);

    /// <summary>Writes a boolean.</summary>
    /// <param name="value">The value.</param>
    public void Write(bool value) => Put(value ? MessagePackCode.True : MessagePackCode.False);

    /// <summary>Writes a UTF-16 code unit as an integer, in the shortest encoding.</summary>
    /// <param name="value">The code unit.</param>
    public void Write(char value) => Write((ulong)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(byte value) => Write((ulong)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(ushort value) => Write((ulong)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(uint value) => Write((ulong)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(ulong value)
    {
        switch (GetEncodedLength(value))
        {
            case 1:
                Put((byte)value);
                break;
            case 2:
                WriteUInt8((byte)value);
                break;
            case 3:
                WriteUInt16((ushort)value);
                break;
            case 5:
                WriteUInt32((uint)value);
                break;
            default:
                WriteUInt64(value);
                break;
        }
    }

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(sbyte value) => Write((long)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(short value) => Write((long)value);

    /// <summary>Writes an integer in the shortest encoding.</summary>
    /// <param name="value">The integer.</param>
    public void Write(int value) => Write((long)value);

    /// <summary>Writes an integer in the shortest encoding, which is an unsigned one unless it is negative.</summary>
    /// <param name="value">The integer.</param>
    public void Write(long value)
    {
        if (value >= 0)
        {
            Write((ulong)value);
            return;
        }

        switch (GetEncodedLength(value))
        {
            case 1:
                Put((byte)value);
                break;
            case 2:
                WriteInt8((sbyte)value);
                break;
            case 3:
                WriteInt16((short)value);
                break;
            case 5:
                WriteInt32((int)value);
                break;
            default:
                WriteInt64(value);
                break;
        }
    }

    /// <summary>Writes an integer as uint 8, two bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteUInt8(byte value) => Put8(MessagePackCode.UInt8, value);

    /// <summary>Writes an integer as int 8, two bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteInt8(sbyte value) => Put8(MessagePackCode.Int8, (byte)value);

    /// <summary>Writes an integer as uint 16, three bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteUInt16(ushort value) => Put16(MessagePackCode.UInt16, value);

    /// <summary>Writes an integer as int 16, three bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteInt16(short value) => Put16(MessagePackCode.Int16, (ushort)value);

    /// <summary>Writes an integer as uint 32, five bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteUInt32(uint value) => Put32(MessagePackCode.UInt32, value);

    /// <summary>Writes an integer as int 32, five bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteInt32(int value) => Put32(MessagePackCode.Int32, (uint)value);

    /// <summary>Writes an integer as uint 64, nine bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteUInt64(ulong value) => Put64(MessagePackCode.UInt64, value);

    /// <summary>Writes an integer as int 64, nine bytes.</summary>
    /// <param name="value">The integer.</param>
    public void WriteInt64(long value) => Put64(MessagePackCode.Int64, (ulong)value);

    /// <summary>Writes a number as float 32, five bytes.</summary>
    /// <param name="value">The number; a NaN keeps its bits.</param>
    public void Write(float value) => Put32(MessagePackCode.Float32, BitConverter.SingleToUInt32Bits(value));

    /// <summary>Writes a number as float 64, nine bytes, even where float 32 would do.</summary>
    /// <param name="value">The number; a NaN keeps its bits.</param>
    public void Write(double value) => Put64(MessagePackCode.Float64, BitConverter.DoubleToUInt64Bits(value));
}
