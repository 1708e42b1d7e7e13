using System.Buffers;
using System.Text;

namespace RelayProtocol.MessagePack;

/// <content>Arrays, maps, strings, bytes and extensions.</content>
public ref partial struct MessagePackReader
{
    /// <summary>Reads the header of an array; its elements come next.</summary>
    /// <returns>How many elements there are, 0 .. 2^31-1. At least so many bytes follow.</returns>
    /// <exception cref="EndOfStreamException">Header or elements cannot all be there.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it nil.</exception>
    /// <exception cref="OverflowException">There are 2^31 elements or more.</exception>
    public int ReadArrayHeader() => ReadCount(MessagePackType.Array, 1);

    /// <summary>Reads the header of a map; its keys and values come next, in turn.</summary>
    /// <returns>How many pairs there are, 0 .. 2^31-1. At least twice so many bytes follow.</returns>
    /// <exception cref="EndOfStreamException">Header or pairs cannot all be there.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it nil.</exception>
    /// <exception cref="OverflowException">There are 2^31 pairs or more.</exception>
    public int ReadMapHeader() => ReadCount(MessagePackType.Map, 2);

    /// <summary>Reads the header of an array if all of the header is there, and otherwise nothing.</summary>
    /// <param name="count">How many elements it announces, 0 .. 2^31-1; not checked against the bytes that follow.</param>
    /// <returns>Whether the header was there.</returns>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    /// <exception cref="OverflowException">It announces 2^31 elements or more.</exception>
    public bool TryReadArrayHeader(out int count) => TryReadCount(MessagePackType.Array, out count);

    /// <summary>Reads the header of a map if all of the header is there, and otherwise nothing.</summary>
    /// <param name="count">How many pairs it announces, 0 .. 2^31-1; not checked against the bytes that follow.</param>
    /// <returns>Whether the header was there.</returns>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    /// <exception cref="OverflowException">It announces 2^31 pairs or more.</exception>
    public bool TryReadMapHeader(out int count) => TryReadCount(MessagePackType.Map, out count);

    /// <summary>Reads a string or nil. Bytes that are not UTF-8 become U+FFFD, as the package and .NET have it.</summary>
    /// <returns>The string, or null for nil.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it bin.</exception>
    public string? ReadString() => ReadStringSequence() is { } utf8 ? Encoding.UTF8.GetString(utf8) : null;

    /// <summary>Reads a string or nil without decoding it.</summary>
    /// <returns>A view of the bytes, which need not be valid UTF-8, or null for nil.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public ReadOnlySequence<byte>? ReadStringSequence() => ReadPayload(MessagePackType.String);

    /// <summary>Reads a string without decoding it, if its bytes are contiguous, and otherwise nothing.</summary>
    /// <param name="span">The bytes, which need not be valid UTF-8.</param>
    /// <returns>False, with nothing read, if nil is next or the bytes are in several pieces.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, other than nil.</exception>
    public bool TryReadStringSpan(out ReadOnlySpan<byte> span)
    {
        MessagePackReader ahead = this;
        if (ahead.ReadStringSequence() is { IsSingleSegment: true } utf8)
        {
            span = utf8.FirstSpan;
            this = ahead;
            return true;
        }

        span = default;
        return false;
    }

    /// <summary>Reads a bin object or nil.</summary>
    /// <returns>A view of the bytes, or null for nil.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it a string.</exception>
    public ReadOnlySequence<byte>? ReadBytes() => ReadPayload(MessagePackType.Binary);

    /// <summary>Reads the header of an extension object; its bytes come next.</summary>
    /// <returns>The header. At least so many bytes follow.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public ExtensionHeader ReadExtensionFormatHeader() =>
        TryReadExtensionFormatHeader(out ExtensionHeader header) && header.Length <= _reader.Remaining
            ? header
            : throw new EndOfStreamException();

    /// <summary>Reads the header of an extension object if all of the header is there, and otherwise nothing.</summary>
    /// <param name="extensionHeader">The header; its length is not checked against the bytes that follow.</param>
    /// <returns>Whether the header was there.</returns>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    public bool TryReadExtensionFormatHeader(out ExtensionHeader extensionHeader)
    {
        extensionHeader = default;
        MessagePackReader ahead = this;
        if (!ahead.TryTakeHeader(MessagePackType.Extension, out byte code, out ulong argument)
            || !ahead._reader.TryRead(out byte typeCode))
        {
            return false;
        }

        this = ahead;
        extensionHeader = new ExtensionHeader((sbyte)typeCode, (uint)(MessagePackFormat.PayloadLength(code, argument) - 1));
        return true;
    }

    /// <summary>Reads an extension object.</summary>
    /// <returns>Its type code and a view of its bytes.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next, be it nil.</exception>
    public ExtensionResult ReadExtensionFormat()
    {
        ExtensionHeader header = ReadExtensionFormatHeader();
        return new ExtensionResult(header.TypeCode, ReadRaw(header.Length));
    }

    private int ReadCount(MessagePackType type, int bytesEach)
    {
        ulong argument = TakeHeader(type, out byte code);
        uint count = MessagePackFormat.Count(code, argument);
        return _reader.Remaining / bytesEach >= count ? checked((int)count) : throw new EndOfStreamException();
    }

    private bool TryReadCount(MessagePackType type, out int count)
    {
        bool complete = TryTakeHeader(type, out byte code, out ulong argument);
        count = complete ? checked((int)MessagePackFormat.Count(code, argument)) : 0;
        return complete;
    }

    private bool TryTakeHeader(MessagePackType type, out byte code, out ulong argument)
    {
        argument = 0;
        return _reader.TryPeek(out code)
            && (MessagePackCode.ToMessagePackType(code) == type ? TryTakeHeader(code, out argument) : throw UnexpectedCode(code));
    }

    private ReadOnlySequence<byte>? ReadPayload(MessagePackType type)
    {
        if (TryReadNil())
        {
            return null;
        }

        ulong argument = TakeHeader(type, out byte code);
        return ReadRaw(MessagePackFormat.PayloadLength(code, argument));
    }
}
