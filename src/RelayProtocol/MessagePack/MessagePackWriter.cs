using System.Buffers;
using System.Buffers.Binary;

namespace RelayProtocol.MessagePack;

/// <summary>
/// Writes MessagePack objects to a buffer writer. A value type for one thread that gathers bytes between calls, so it is passed by
/// reference, and <see cref="Flush"/> ends it.
/// </summary>
/// <remarks>
/// <para>Wire format: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md. The members named
/// <c>Write</c> and those for headers choose the shortest encoding; those with a width in their name, as <see cref="WriteInt32"/>,
/// write that width.</para>
/// <para>Names and meaning are those of the MessagePack package (MessagePack-CSharp), so that it can take this type's place. That
/// counts and elements agree is the caller's affair.</para>
/// </remarks>
public ref partial struct MessagePackWriter
{
    private readonly IBufferWriter<byte> _output;
    private Span<byte> _span;
    private int _used;

    /// <summary>Makes a writer.</summary>
    /// <param name="writer">Where the bytes go; it sees them at <see cref="Flush"/> at the latest.</param>
    public MessagePackWriter(IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        _output = writer;
    }

    /// <summary>A token for those who write with this writer; the writer itself never waits and does not look at it.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Makes a writer to another buffer with this one's <see cref="CancellationToken"/>.</summary>
    /// <param name="writer">Where the new writer's bytes go.</param>
    /// <returns>The new writer.</returns>
    public readonly MessagePackWriter Clone(IBufferWriter<byte> writer) => new(writer) { CancellationToken = CancellationToken };

    /// <summary>Hands every byte written so far to the buffer writer. The writer may be used on.</summary>
    public void Flush()
    {
        if (_used > 0)
        {
            _output.Advance(_used);
        }

        // A span is not valid beyond Advance.
        _span = default;
        _used = 0;
    }

    /// <summary>Gives room to write bytes undecoded; <see cref="Advance"/> then says how many.</summary>
    /// <param name="length">How many bytes are wanted, at least 0.</param>
    /// <returns>At least so much room, valid until the writer's next call.</returns>
    public Span<byte> GetSpan(int length)
    {
        if (_span.Length - _used < length)
        {
            Flush();
            _span = _output.GetSpan(length);
        }

        return _span[_used..];
    }

    /// <summary>Says how many bytes were written to the room that <see cref="GetSpan"/> gave.</summary>
    /// <param name="length">How many, at most the length of that room.</param>
    /// <exception cref="ArgumentOutOfRangeException">There was not so much room.</exception>
    public void Advance(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(_span.Length - _used), nameof(length));
        _used += length;
    }

    /// <summary>Writes bytes as they are; they should be MessagePack.</summary>
    /// <param name="rawMessagePackBlock">The bytes.</param>
    public void WriteRaw(scoped ReadOnlySpan<byte> rawMessagePackBlock)
    {
        if (rawMessagePackBlock.Length <= _span.Length - _used)
        {
            rawMessagePackBlock.CopyTo(_span[_used..]);
            _used += rawMessagePackBlock.Length;
        }
        else
        {
            Flush();
            _output.Write(rawMessagePackBlock);
        }
    }

    /// <summary>Writes bytes as they are; they should be MessagePack.</summary>
    /// <param name="rawMessagePackBlock">The bytes.</param>
    public void WriteRaw(in ReadOnlySequence<byte> rawMessagePackBlock)
    {
        foreach (ReadOnlyMemory<byte> piece in rawMessagePackBlock)
        {
            WriteRaw(piece.Span);
        }
    }

    /// <summary>Writes the header of an array; the caller writes its elements next.</summary>
    /// <param name="count">How many elements, at least 0.</param>
    /// <exception cref="OverflowException"><paramref name="count"/> is negative.</exception>
    public void WriteArrayHeader(int count) => WriteArrayHeader(checked((uint)count));

    /// <summary>Writes the header of an array; the caller writes its elements next.</summary>
    /// <param name="count">How many elements.</param>
    public void WriteArrayHeader(uint count)
    {
        if (count <= MessagePackRange.MaxFixArrayCount)
        {
            Put((byte)(MessagePackCode.MinFixArray | count));
        }
        else
        {
            PutCount(MessagePackCode.Array16, MessagePackCode.Array32, count);
        }
    }

    /// <summary>Writes the header of a map; the caller writes its keys and values next, in turn.</summary>
    /// <param name="count">How many pairs, at least 0.</param>
    /// <exception cref="OverflowException"><paramref name="count"/> is negative.</exception>
    public void WriteMapHeader(int count) => WriteMapHeader(checked((uint)count));

    /// <summary>Writes the header of a map; the caller writes its keys and values next, in turn.</summary>
    /// <param name="count">How many pairs.</param>
    public void WriteMapHeader(uint count)
    {
        if (count <= MessagePackRange.MaxFixMapCount)
        {
            Put((byte)(MessagePackCode.MinFixMap | count));
        }
        else
        {
            PutCount(MessagePackCode.Map16, MessagePackCode.Map32, count);
        }
    }

    private void PutCount(byte code16, byte code32, uint count)
    {
        if (count <= ushort.MaxValue)
        {
            Put16(code16, (ushort)count);
        }
        else
        {
            Put32(code32, count);
        }
    }

    private void Put(byte value)
    {
        GetSpan(1)[0] = value;
        _used += 1;
    }

    private void Put8(byte code, byte value)
    {
        Span<byte> span = GetSpan(2);
        span[0] = code;
        span[1] = value;
        _used += 2;
    }

    private void Put16(byte code, ushort value)
    {
        Span<byte> span = GetSpan(3);
        span[0] = code;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
        _used += 3;
    }

    private void Put32(byte code, uint value)
    {
        Span<byte> span = GetSpan(5);
        span[0] = code;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
        _used += 5;
    }

    private void Put64(byte code, ulong value)
    {
        Span<byte> span = GetSpan(9);
        span[0] = code;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
        _used += 9;
    }
}
