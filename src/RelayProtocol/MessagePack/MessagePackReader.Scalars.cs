namespace RelayProtocol.MessagePack;

/// <content>Nil, booleans, integers, characters and floating point numbers.</content>
public ref partial struct MessagePackReader
{
    /// <summary>Reads nil.</summary>
    /// <returns>Nil.</returns>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public Nil ReadNil()
    {
        _ = TakeHeader(MessagePackType.Nil, out _);
        return Nil.Default;
    }

    /// <summary>Reads nil if it is next, and otherwise nothing.</summary>
    /// <returns>Whether it was nil.</returns>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    public bool TryReadNil()
    {
        bool isNil = IsNil;
        if (isNil)
        {
            _reader.Advance(1);
        }

        return isNil;
    }

    /// <summary>Reads a boolean.</summary>
    /// <returns>Its value.</returns>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public bool ReadBoolean()
    {
        _ = TakeHeader(MessagePackType.Boolean, out byte code);
        return code == MessagePackCode.True;
    }

    /// <summary>Reads a UTF-16 code unit, which travels as an integer.</summary>
    /// <returns>The code unit, any of 0 .. 65535.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public char ReadChar() => (char)ReadUInt16();

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, 0 .. 255.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public byte ReadByte() => checked((byte)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, 0 .. 65535.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public ushort ReadUInt16() => checked((ushort)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, 0 .. 2^32-1.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public uint ReadUInt32() => checked((uint)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, -128 .. 127.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public sbyte ReadSByte() => checked((sbyte)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, -32768 .. 32767.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public short ReadInt16() => checked((short)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, -2^31 .. 2^31-1.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it a float of a whole number.</exception>
    /// <exception cref="OverflowException">The integer is out of this method's range.</exception>
    public int ReadInt32() => checked((int)ReadInt64());

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, 0 .. 2^64-1.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public ulong ReadUInt64()
    {
        long bits = TakeInteger(out bool aboveInt64);
        return bits < 0 && !aboveInt64 ? throw new OverflowException() : (ulong)bits;
    }

    /// <summary>Reads an integer of any encoding.</summary>
    /// <returns>Its value, -2^63 .. 2^63-1.</returns>
    /// <inheritdoc cref="ReadInt32" path="/exception"/>
    public long ReadInt64()
    {
        long bits = TakeInteger(out bool aboveInt64);
        return aboveInt64 ? throw new OverflowException() : bits;
    }

    /// <summary>Reads a number: a float of either width, or an integer of any encoding.</summary>
    /// <returns>The nearest 32-bit float; an infinity for a 64-bit float beyond its range.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public float ReadSingle()
    {
        if (NextMessagePackType == MessagePackType.Integer)
        {
            // Straight from the integer: a detour by double would round twice.
            long bits = TakeInteger(out bool aboveInt64);
            return aboveInt64 ? (ulong)bits : bits;
        }

        ulong argument = TakeHeader(MessagePackType.Float, out byte code);
        return code == MessagePackCode.Float32
            ? BitConverter.UInt32BitsToSingle((uint)argument)
            : (float)BitConverter.UInt64BitsToDouble(argument);
    }

    /// <summary>Reads a number: a float of either width, or an integer of any encoding.</summary>
    /// <returns>The nearest 64-bit float.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public double ReadDouble()
    {
        if (NextMessagePackType == MessagePackType.Integer)
        {
            long bits = TakeInteger(out bool aboveInt64);
            return aboveInt64 ? (ulong)bits : bits;
        }

        ulong argument = TakeHeader(MessagePackType.Float, out byte code);
        return code == MessagePackCode.Float32
            ? BitConverter.UInt32BitsToSingle((uint)argument)
            : BitConverter.UInt64BitsToDouble(argument);
    }

    /// <summary>Takes an integer of any encoding.</summary>
    /// <param name="aboveInt64">Whether the result is the bits of an unsigned number of 2^63 or more.</param>
    private long TakeInteger(out bool aboveInt64)
    {
        ulong argument = TakeHeader(MessagePackType.Integer, out byte code);
        aboveInt64 = code == MessagePackCode.UInt64 && argument > long.MaxValue;
        return code switch
        {
            <= MessagePackCode.MaxFixInt => code,
            >= MessagePackCode.MinNegativeFixInt => (sbyte)code,
            MessagePackCode.Int8 => (sbyte)argument,
            MessagePackCode.Int16 => (short)argument,
            MessagePackCode.Int32 => (int)argument,
            _ => (long)argument,
        };
    }
}
