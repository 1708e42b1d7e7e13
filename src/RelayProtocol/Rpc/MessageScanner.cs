using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>What a <see cref="MessageScanner"/> knows after the bytes it was given.</summary>
internal enum ScanStatus
{
    /// <summary>The object goes on beyond the bytes.</summary>
    NeedMore,

    /// <summary>The object ends with the last byte consumed.</summary>
    Complete,

    /// <summary>The bytes are not MessagePack: an object begins with 0xc1.</summary>
    Malformed,

    /// <summary>The object is, or announces that it will be, larger than the limit.</summary>
    TooLarge,

    /// <summary>Arrays and maps are nested deeper than the limit.</summary>
    TooDeep,
}

/// <summary>
/// Finds the end of one MessagePack object in bytes that arrive in pieces, without decoding it: each byte is looked at once and none is kept. One thread at a time;
/// allocates nothing after its construction.
/// </summary>
/// <remarks>
/// <para>Wire format: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</para>
/// <para>Size counts every byte of the object. An object is refused as soon as what it has announced cannot fit: announced text and
/// bytes in full, and one byte for each announced element that has not come yet.</para>
/// <para>Depth counts the arrays and maps that are open at once, empty ones too: a lone integer has depth 0, an array of integers 1. At a
/// limit of 16, 16 arrays within each other pass and the first byte of the 17th is refused.</para>
/// </remarks>
internal sealed class MessageScanner
{
    /// <summary>The control channel's limit on an object's size, in bytes: 64 KiB.</summary>
    internal const int DefaultMaxSize = 64 * 1024;

    /// <summary>The control channel's limit on nesting.</summary>
    internal const int DefaultMaxDepth = 16;

    private readonly int _maxSize;
    private readonly int[] _childrenToCome; // of each open array and map, outermost first

    private ScanStatus _status;
    private int _depth;
    private long _leastSize = 1; // of the object, by what it has announced so far
    private long _scanned;
    private byte _code;
    private int _numberBytesToCome;
    private ulong _number;
    private long _payloadBytesToCome;

    internal MessageScanner(int maxSize = DefaultMaxSize, int maxDepth = DefaultMaxDepth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxDepth);
        _maxSize = maxSize;
        _childrenToCome = new int[maxDepth];
    }

    /// <summary>The least number of bytes that the object still needs; a receive of no more than this takes nothing of what follows it.</summary>
    internal int Missing => (int)(_leastSize - _scanned);

    /// <summary>Scans the bytes that come next; after <see cref="ScanStatus.Complete"/> they begin the next object.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <param name="consumed">How many belong to the object.</param>
    /// <returns>The status. An error is final: it is returned again until <see cref="Reset"/>.</returns>
    internal ScanStatus Scan(ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 0;
        if (_status == ScanStatus.Complete)
            Reset();
        while (_status == ScanStatus.NeedMore && consumed < bytes.Length)
        {
            int count = 1;
            if (_payloadBytesToCome > 0)
            {
                count = (int)Math.Min(_payloadBytesToCome, bytes.Length - consumed);
                _payloadBytesToCome -= count;
                _status = _payloadBytesToCome > 0 ? ScanStatus.NeedMore : EndObject();
            }
            else if (_numberBytesToCome > 0)
            {
                _number = (_number << 8) | bytes[consumed];
                _status = --_numberBytesToCome > 0 ? ScanStatus.NeedMore : BeginContent();
            }
            else
            {
                _status = BeginObject(bytes[consumed]);
            }

            consumed += count;
            _scanned += count;
        }

        return _status;
    }

    /// <summary>Begins again: the next byte is the first of an object.</summary>
    internal void Reset()
    {
        _status = ScanStatus.NeedMore;
        _depth = 0;
        _leastSize = 1;
        _scanned = 0;
        _numberBytesToCome = 0;
        _payloadBytesToCome = 0;
    }

    private ScanStatus BeginObject(byte code)
    {
        switch (MessagePackCode.ToMessagePackType(code))
        {
            case MessagePackType.Unknown:
                return ScanStatus.Malformed;
            case MessagePackType.Array or MessagePackType.Map when _depth == _childrenToCome.Length:
                return ScanStatus.TooDeep;
        }

        _code = code;
        _number = 0;
        _numberBytesToCome = NumberSize(code);
        return !Announce(_numberBytesToCome) ? ScanStatus.TooLarge
            : _numberBytesToCome > 0 ? ScanStatus.NeedMore
            : BeginContent();
    }

    private ScanStatus BeginContent()
    {
        long children = ChildCount(_code, _number);
        _payloadBytesToCome = PayloadLength(_code, _number);
        if (!Announce(_payloadBytesToCome + children))
            return ScanStatus.TooLarge;

        if (children > 0)
        {
            // Fits an int: each child has just been counted within the size limit.
            _childrenToCome[_depth++] = (int)children;
            return ScanStatus.NeedMore;
        }

        return _payloadBytesToCome > 0 ? ScanStatus.NeedMore : EndObject();
    }

    private ScanStatus EndObject()
    {
        while (_depth > 0)
        {
            if (--_childrenToCome[_depth - 1] > 0)
                return ScanStatus.NeedMore;

            _depth--;
        }

        return ScanStatus.Complete;
    }

    private bool Announce(long bytes)
    {
        _leastSize += bytes;
        return _leastSize <= _maxSize;
    }

    // The size of the big-endian number that follows the first byte: a value, a length or a count.
    private static int NumberSize(byte code) => code switch
    {
        MessagePackCode.UInt8 or MessagePackCode.Int8 or MessagePackCode.Str8 or MessagePackCode.Bin8 or MessagePackCode.Ext8 => 1,
        MessagePackCode.UInt16 or MessagePackCode.Int16 or MessagePackCode.Str16 or MessagePackCode.Bin16 or MessagePackCode.Ext16
            or MessagePackCode.Array16 or MessagePackCode.Map16 => 2,
        MessagePackCode.UInt32 or MessagePackCode.Int32 or MessagePackCode.Str32 or MessagePackCode.Bin32 or MessagePackCode.Ext32
            or MessagePackCode.Array32 or MessagePackCode.Map32 or MessagePackCode.Float32 => 4,
        MessagePackCode.UInt64 or MessagePackCode.Int64 or MessagePackCode.Float64 => 8,
        _ => 0,
    };

    // The bytes that follow the number: text, bytes, or an extension's type code and bytes.
    private static long PayloadLength(byte code, ulong number) => MessagePackCode.ToMessagePackType(code) switch
    {
        MessagePackType.String when code <= MessagePackCode.MaxFixStr => code - MessagePackCode.MinFixStr,
        MessagePackType.String or MessagePackType.Binary => (long)number,
        MessagePackType.Extension when code >= MessagePackCode.FixExt1 => 1 + (1 << (code - MessagePackCode.FixExt1)),
        MessagePackType.Extension => 1 + (long)number,
        _ => 0,
    };

    // The objects that follow as parts of this one: an array's elements, a map's keys and values.
    private static long ChildCount(byte code, ulong number)
    {
        long count = NumberSize(code) == 0 ? code & 0x0f : (long)number;
        return MessagePackCode.ToMessagePackType(code) switch
        {
            MessagePackType.Array => count,
            MessagePackType.Map => 2 * count,
            _ => 0,
        };
    }
}
