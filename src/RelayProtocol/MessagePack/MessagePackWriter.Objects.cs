using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace RelayProtocol.MessagePack;

/// <content>Strings, bytes, timestamps and extensions.</content>
public ref partial struct MessagePackWriter
{
    /// <summary>Writes a string, or nil for null. A surrogate without its other half becomes U+FFFD.</summary>
    /// <param name="value">The text, at most 2^31-1 bytes of UTF-8.</param>
    public void Write(string? value)
    {
        if (value is null)
        {
            WriteNil();
        }
        else
        {
            Write(value.AsSpan());
        }
    }

    /// <summary>Writes a string. A surrogate without its other half becomes U+FFFD.</summary>
    /// <param name="value">The text, at most 2^31-1 bytes of UTF-8.</param>
    public void Write(scoped ReadOnlySpan<char> value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        WriteStringHeader(length);
        Encoding.UTF8.GetBytes(value, GetSpan(length));
        _used += length;
    }

    /// <summary>Writes a string that is UTF-8 already.</summary>
    /// <param name="utf8stringBytes">The text, not checked.</param>
    public void WriteString(scoped ReadOnlySpan<byte> utf8stringBytes)
    {
        WriteStringHeader(utf8stringBytes.Length);
        WriteRaw(utf8stringBytes);
    }

    /// <summary>Writes a string that is UTF-8 already.</summary>
    /// <param name="utf8stringBytes">The text, not checked.</param>
    /// <exception cref="OverflowException">There are 2^31 bytes or more.</exception>
    public void WriteString(in ReadOnlySequence<byte> utf8stringBytes)
    {
        WriteStringHeader(checked((int)utf8stringBytes.Length));
        WriteRaw(utf8stringBytes);
    }

    /// <summary>Writes the header of a string; the caller writes its bytes next.</summary>
    /// <param name="byteCount">How many bytes, at least 0.</param>
    /// <exception cref="OverflowException"><paramref name="byteCount"/> is negative.</exception>
    public void WriteStringHeader(int byteCount)
    {
        uint length = checked((uint)byteCount);
        if (length <= MessagePackRange.MaxFixStringLength)
        {
            Put((byte)(MessagePackCode.MinFixStr | length));
        }
        else if (length <= byte.MaxValue)
        {
            Put8(MessagePackCode.Str8, (byte)length);
        }
        else
        {
            PutCount(MessagePackCode.Str16, MessagePackCode.Str32, length);
        }
    }

    /// <summary>Writes bytes as a bin object, or nil for null.</summary>
    /// <param name="src">The bytes.</param>
    public void Write(byte[]? src)
    {
        if (src is null)
        {
            WriteNil();
        }
        else
        {
            Write(src.AsSpan());
        }
    }

    /// <summary>Writes bytes as a bin object.</summary>
    /// <param name="src">The bytes.</param>
    public void Write(scoped ReadOnlySpan<byte> src)
    {
        WriteBinHeader(src.Length);
        WriteRaw(src);
    }

    /// <summary>Writes bytes as a bin object.</summary>
    /// <param name="src">The bytes.</param>
    /// <exception cref="OverflowException">There are 2^31 bytes or more.</exception>
    public void Write(in ReadOnlySequence<byte> src)
    {
        WriteBinHeader(checked((int)src.Length));
        WriteRaw(src);
    }

    /// <summary>Writes the header of a bin object; the caller writes its bytes next.</summary>
    /// <param name="length">How many bytes, at least 0.</param>
    /// <exception cref="OverflowException"><paramref name="length"/> is negative.</exception>
    public void WriteBinHeader(int length)
    {
        uint count = checked((uint)length);
        if (count <= byte.MaxValue)
        {
            Put8(MessagePackCode.Bin8, (byte)count);
        }
        else
        {
            PutCount(MessagePackCode.Bin16, MessagePackCode.Bin32, count);
        }
    }

    /// <summary>Writes the header of an extension object; the caller writes its bytes next.</summary>
    /// <param name="extensionHeader">Type code and length.</param>
    public void WriteExtensionFormatHeader(ExtensionHeader extensionHeader)
    {
        uint length = extensionHeader.Length;
        if (length is 1 or 2 or 4 or 8 or 16)
        {
            Put((byte)(MessagePackCode.FixExt1 + BitOperations.Log2(length)));
        }
        else if (length <= byte.MaxValue)
        {
            Put8(MessagePackCode.Ext8, (byte)length);
        }
        else
        {
            PutCount(MessagePackCode.Ext16, MessagePackCode.Ext32, length);
        }

        Put((byte)extensionHeader.TypeCode);
    }

    /// <summary>Writes an extension object.</summary>
    /// <param name="extensionData">Type code and bytes.</param>
    /// <exception cref="OverflowException">There are 2^32 bytes or more.</exception>
    public void WriteExtensionFormat(ExtensionResult extensionData)
    {
        WriteExtensionFormatHeader(extensionData.Header);
        WriteRaw(extensionData.Data);
    }

    /// <summary>Writes an instant as a timestamp, in the shortest of its three lengths.</summary>
    /// <param name="dateTime">The instant. A local one is converted to UTC, one of unspecified kind is taken for UTC.</param>
    /// <remarks>Source: "Timestamp extension type" in the MessagePack specification.</remarks>
    public void Write(DateTime dateTime)
    {
        if (dateTime.Kind == DateTimeKind.Local)
        {
            dateTime = dateTime.ToUniversalTime();
        }

        // Seconds are counted downwards before 1970 and the nanoseconds upwards from there, as the specification has it.
        (long seconds, long ticks) = Math.DivRem(dateTime.Ticks, TimeSpan.TicksPerSecond);
        seconds -= DateTime.UnixEpoch.Ticks / TimeSpan.TicksPerSecond;
        uint nanoseconds = (uint)(ticks * TimeSpan.NanosecondsPerTick);

        Span<byte> data = stackalloc byte[12];
        if (seconds is >= 0 and <= uint.MaxValue && nanoseconds == 0)
        {
            data = data[..4];
            BinaryPrimitives.WriteUInt32BigEndian(data, (uint)seconds);
        }
        else if (seconds is >= 0 and < (1L << 34))
        {
            data = data[..8];
            BinaryPrimitives.WriteUInt64BigEndian(data, ((ulong)nanoseconds << 34) | (ulong)seconds);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(data, nanoseconds);
            BinaryPrimitives.WriteInt64BigEndian(data[4..], seconds);
        }

        WriteExtensionFormatHeader(new ExtensionHeader(ReservedMessagePackExtensionTypeCode.DateTime, data.Length));
        WriteRaw(data);
    }
}
