using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// Finds the end of one MessagePack object in bytes that arrive in pieces, each byte looked at once and none kept. For one thread at
/// a time; after its construction it allocates nothing.
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
    private readonly int[] _toCome; // for each open container, outermost first: the objects it still waits for

    private ScanStatus _status;
    private int _depth;
    private long _leastSize = 1;    // what the object must come to at least, by what is known
    private long _taken;
    private byte _code;
    private int _argumentToCome;
    private ulong _argument;
    private long _payloadToCome;

    /// <summary>Makes a scanner that waits for the first byte of an object.</summary>
    /// <param name="maxSize">The largest object that passes, in bytes, at least 1.</param>
    /// <param name="maxDepth">The deepest nesting that passes, at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of its range.</exception>
    internal MessageScanner(int maxSize = DefaultMaxSize, int maxDepth = DefaultMaxDepth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(maxDepth);
        _maxSize = maxSize;
        _toCome = new int[maxDepth];
    }

    /// <summary>
    /// The least number of bytes that the object still needs, 1 .. the size limit. A reader that asks its stream for no more
    /// than this never takes a byte of what follows the object.
    /// </summary>
    internal int Missing => (int)(_leastSize - _taken);

    /// <summary>Goes on with the object, or begins the next one after <see cref="ScanStatus.Complete"/>.</summary>
    /// <param name="bytes">The bytes that come next; any number.</param>
    /// <param name="consumed">
    /// How many were taken: all with <see cref="ScanStatus.NeedMore"/>, those up to the object's end with
    /// <see cref="ScanStatus.Complete"/>.
    /// </param>
    /// <returns>What is known now. An error is final: it is returned again until <see cref="Reset"/>.</returns>
    internal ScanStatus Scan(ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 0;
        if (_status == ScanStatus.Complete)
        {
            Reset();
        }

        while (_status == ScanStatus.NeedMore && consumed < bytes.Length)
        {
            int taken = 1;
            if (_payloadToCome > 0)
            {
                taken = (int)Math.Min(_payloadToCome, bytes.Length - consumed);
                _payloadToCome -= taken;
                _status = _payloadToCome > 0 ? ScanStatus.NeedMore : EndObject();
            }
            else if (_argumentToCome > 0)
            {
                _argument = (_argument << 8) | bytes[consumed];
                _status = --_argumentToCome > 0 ? ScanStatus.NeedMore : BeginContent();
            }
            else
            {
                _status = BeginObject(bytes[consumed]);
            }

            consumed += taken;
            _taken += taken;
        }

        return _status;
    }

    /// <summary>Forgets everything: the next byte is the first of an object.</summary>
    internal void Reset()
    {
        _status = ScanStatus.NeedMore;
        _depth = 0;
        _leastSize = 1;
        _taken = 0;
        _argumentToCome = 0;
        _payloadToCome = 0;
    }

    private ScanStatus BeginObject(byte code)
    {
        switch (MessagePackCode.ToMessagePackType(code))
        {
            case MessagePackType.Unknown:
                return ScanStatus.Malformed;
            case MessagePackType.Array or MessagePackType.Map when _depth == _toCome.Length:
                return ScanStatus.TooDeep;
        }

        _code = code;
        _argument = 0;
        _argumentToCome = MessagePackFormat.ArgumentSize(code);
        return !Announce(_argumentToCome) ? ScanStatus.TooLarge
            : _argumentToCome > 0 ? ScanStatus.NeedMore
            : BeginContent();
    }

    private ScanStatus BeginContent()
    {
        long children = MessagePackFormat.ChildCount(_code, _argument);
        _payloadToCome = MessagePackFormat.PayloadLength(_code, _argument);
        if (!Announce(_payloadToCome + children))
        {
            return ScanStatus.TooLarge;
        }

        if (children > 0)
        {
            // Fits an int: each child has just been counted within the size limit.
            _toCome[_depth++] = (int)children;
            return ScanStatus.NeedMore;
        }

        return _payloadToCome > 0 ? ScanStatus.NeedMore : EndObject();
    }

    private ScanStatus EndObject()
    {
        while (_depth > 0)
        {
            if (--_toCome[_depth - 1] > 0)
            {
                return ScanStatus.NeedMore;
            }

            _depth--;
        }

        return ScanStatus.Complete;
    }

    private bool Announce(long bytes)
    {
        _leastSize += bytes;
        return _leastSize <= _maxSize;
    }
}
