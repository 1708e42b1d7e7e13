using System.Buffers;

namespace RelayProtocol.MessagePack;

/// <summary>
/// Reads MessagePack objects out of bytes that are all there. A value type for one thread: a copy reads on by itself, so it is
/// passed by reference.
/// </summary>
/// <remarks>
/// <para>Wire format: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md. Every encoding of a value
/// is accepted, not only the shortest.</para>
/// <para>Names and meaning are those of the MessagePack package (MessagePack-CSharp), so that it can take this type's place. No
/// method recurses, and none allocates more than the bytes present account for, whatever length or count they announce.</para>
/// <para>Every reading member throws <see cref="EndOfStreamException"/> when the bytes end too early and
/// <see cref="MessagePackSerializationException"/> when another type is next. The position is unspecified after an exception.</para>
/// </remarks>
public ref partial struct MessagePackReader
{
    private SequenceReader<byte> _reader;

    /// <summary>Makes a reader of contiguous bytes, which are not copied.</summary>
    /// <param name="memory">The bytes, which must not change while they are read.</param>
    public MessagePackReader(ReadOnlyMemory<byte> memory)
    {
        _reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(memory));
    }

    /// <summary>Makes a reader of bytes in one or more pieces, which are not copied.</summary>
    /// <param name="readOnlySequence">The bytes, which must not change while they are read.</param>
    public MessagePackReader(in ReadOnlySequence<byte> readOnlySequence)
    {
        _reader = new SequenceReader<byte>(readOnlySequence);
    }

    /// <summary>A token for those who read with this reader; the reader itself never waits and does not look at it.</summary>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>How deep within nested objects the reader's user is: the user counts, the reader does not look at it.</summary>
    public int Depth { get; set; }

    /// <summary>All the bytes given to the constructor.</summary>
    public readonly ReadOnlySequence<byte> Sequence => _reader.Sequence;

    /// <summary>The place in <see cref="Sequence"/> of the next byte to be read.</summary>
    public readonly SequencePosition Position => _reader.Position;

    /// <summary>How many bytes have been read.</summary>
    public readonly long Consumed => _reader.Consumed;

    /// <summary>Whether every byte has been read.</summary>
    public readonly bool End => _reader.End;

    /// <summary>The first byte of the next object, which stays unread. See <see cref="MessagePackCode"/>.</summary>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    public readonly byte NextCode => PeekCode();

    /// <summary>The type of the next object; <see cref="MessagePackType.Unknown"/> if it is not one.</summary>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    public readonly MessagePackType NextMessagePackType => MessagePackCode.ToMessagePackType(NextCode);

    /// <summary>Whether the next object is nil.</summary>
    /// <exception cref="EndOfStreamException">There are no more bytes.</exception>
    public readonly bool IsNil => NextCode == MessagePackCode.Nil;

    /// <summary>Makes a reader of other bytes with this one's <see cref="Depth"/> and <see cref="CancellationToken"/>.</summary>
    /// <param name="readOnlySequence">The bytes to read.</param>
    /// <returns>The reader, at the first of the bytes.</returns>
    public readonly MessagePackReader Clone(in ReadOnlySequence<byte> readOnlySequence) =>
        new(readOnlySequence) { CancellationToken = CancellationToken, Depth = Depth };

    /// <summary>Makes a second reader of the same bytes at the same place; the two then go on independently.</summary>
    /// <returns>The second reader.</returns>
    public readonly MessagePackReader CreatePeekReader() => this;

    /// <summary>Passes over the next object with all that it contains.</summary>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">It contains the code 0xc1.</exception>
    public void Skip()
    {
        // Not recursive, so that nesting costs no stack. Each object outstanding needs a byte: what cannot be all there is refused at
        // the header that says so, and not after all that is there.
        long outstanding = 1;
        while (outstanding > 0)
        {
            ulong argument = TakeHeader(out byte code);
            Advance(MessagePackFormat.PayloadLength(code, argument));
            outstanding += MessagePackFormat.ChildCount(code, argument) - 1;
            if (outstanding > _reader.Remaining)
            {
                throw new EndOfStreamException();
            }
        }
    }

    /// <summary>Reads the next object undecoded, with all that it contains.</summary>
    /// <returns>A view of its bytes.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">It contains the code 0xc1.</exception>
    public ReadOnlySequence<byte> ReadRaw()
    {
        SequencePosition start = Position;
        Skip();
        return Sequence.Slice(start, Position);
    }

    /// <summary>Reads bytes undecoded, whatever they are.</summary>
    /// <param name="length">How many, at least 0.</param>
    /// <returns>A view of the bytes.</returns>
    /// <exception cref="EndOfStreamException">There are not so many.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative.</exception>
    public ReadOnlySequence<byte> ReadRaw(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        SequencePosition start = Position;
        Advance(length);
        return Sequence.Slice(start, length);
    }

    private readonly byte PeekCode() => _reader.TryPeek(out byte code) ? code : throw new EndOfStreamException();

    private static MessagePackSerializationException UnexpectedCode(byte code) =>
        new($"Unexpected msgpack code {code} ({MessagePackCode.ToFormatName(code)}) encountered.");

    /// <summary>Takes the next object's first byte and the number behind it, after checking the type. All or nothing.</summary>
    private ulong TakeHeader(MessagePackType type, out byte code)
    {
        code = NextCode;
        return MessagePackCode.ToMessagePackType(code) == type ? TakeHeader(out code) : throw UnexpectedCode(code);
    }

    private ulong TakeHeader(out byte code)
    {
        code = NextCode;
        return code == MessagePackCode.NeverUsed ? throw UnexpectedCode(code)
            : TryTakeHeader(code, out ulong argument) ? argument
            : throw new EndOfStreamException();
    }

    /// <summary>As <see cref="TakeHeader(out byte)"/>, but takes nothing and returns false where the number is not all there.</summary>
    private bool TryTakeHeader(byte code, out ulong argument)
    {
        argument = 0;
        int size = MessagePackFormat.ArgumentSize(code);
        if (_reader.Remaining < 1 + size)
        {
            return false;
        }

        _reader.Advance(1);
        while (size-- > 0)
        {
            _reader.TryRead(out byte next);
            argument = (argument << 8) | next;
        }

        return true;
    }

    private void Advance(long length)
    {
        if (length > _reader.Remaining)
        {
            throw new EndOfStreamException();
        }

        _reader.Advance(length);
    }
}
