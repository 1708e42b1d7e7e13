using System.Numerics;

namespace RelayProtocol.Rpc;

/// <summary>
/// Splits the bytes of a control stream, in the pieces in which they arrive, into whole messages. One thread at a time. Its buffer
/// holds at most one incomplete message and the piece last appended, and shrinks to its resting size when a burst has been read.
/// </summary>
/// <remarks>For the limits see <see cref="MessageScanner"/>.</remarks>
internal sealed class RpcReader(int maxSize = MessageScanner.DefaultMaxSize, int maxDepth = MessageScanner.DefaultMaxDepth)
{
    internal const int RestingCapacity = 4096;

    private readonly MessageScanner _scanner = new(maxSize, maxDepth);

    // start <= scanned <= end: the message under way begins at start, the scanner has seen it up to scanned, bytes are there up to end.
    private byte[] _buffer = [];
    private int _start;
    private int _scanned;
    private int _end;
    private long _streamOffset; // of the byte at scanned
    private RpcFormatException? _broken;

    /// <summary>Bytes that were appended and not yet read as part of a message.</summary>
    internal int BufferedBytes => _end - _start;

    /// <inheritdoc cref="MessageScanner.Missing"/>
    internal int Missing => _scanner.Missing;

    internal int Capacity => _buffer.Length;

    /// <summary>Copies bytes that have arrived. Messages that <see cref="TryRead"/> returned before are no longer valid.</summary>
    /// <exception cref="InvalidOperationException">A whole message may be waiting: <see cref="TryRead"/> must return false before more is appended.</exception>
    /// <exception cref="RpcFormatException">The stream has been found to be broken.</exception>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        ThrowIfBroken();
        if (BufferedBytes >= maxSize)
            throw new InvalidOperationException("The messages that have arrived must be read before more bytes are appended.");
        if (bytes.Length > _buffer.Length - _end)
            MakeRoom(checked(BufferedBytes + bytes.Length));
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Returns the next message, one well-formed MessagePack object, valid until the next <see cref="Append"/>; false if it is not complete yet.</summary>
    /// <exception cref="RpcFormatException">The stream is broken; every later call throws the same.</exception>
    internal bool TryRead(out ReadOnlyMemory<byte> message)
    {
        ThrowIfBroken();
        ScanStatus status = _scanner.Scan(_buffer.AsSpan(_scanned, _end - _scanned), out int consumed);
        _scanned += consumed;
        _streamOffset += consumed;
        switch (status)
        {
            case ScanStatus.Complete:
                message = _buffer.AsMemory(_start, _scanned - _start);
                _start = _scanned;
                return true;
            case ScanStatus.NeedMore:
                message = default;
                ReleaseBurst();
                return false;
            default:
                throw Break(status, status switch
                {
                    ScanStatus.TooLarge => $"a message is larger than {maxSize} bytes",
                    ScanStatus.TooDeep => $"a message nests deeper than {maxDepth}",
                    _ => "the bytes are not MessagePack",
                });
        }
    }

    /// <summary>The stream has ended.</summary>
    /// <exception cref="RpcFormatException">It ended within a message, or was broken before.</exception>
    internal void Complete()
    {
        ThrowIfBroken();
        if (BufferedBytes > 0)
            throw Break(ScanStatus.NeedMore, "the stream ended within a message");
    }

    private void MakeRoom(int needed)
    {
        byte[] target = needed <= _buffer.Length
            ? _buffer
            : new byte[Math.Max(RestingCapacity, (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)needed), (uint)Array.MaxLength))];

        // A message is moved once at most, or doubles its room: the copying stays linear in the bytes that arrive.
        _buffer.AsSpan(_start, BufferedBytes).CopyTo(target);
        _buffer = target;
        _end -= _start;
        _scanned -= _start;
        _start = 0;
    }

    private void ReleaseBurst()
    {
        if (_start < _end)
            return;
        _start = _scanned = _end = 0;
        // Not cleared or pooled: the message given last may still be looked at.
        if (_buffer.Length > RestingCapacity)
            _buffer = [];
    }

    private void ThrowIfBroken()
    {
        if (_broken is not null)
            throw new RpcFormatException(_broken.Reason, _broken.Message);
    }

    private RpcFormatException Break(ScanStatus reason, string what)
    {
        _buffer = [];
        _start = _scanned = _end = 0;
        return _broken = new RpcFormatException(reason, $"The control stream is broken at byte {_streamOffset}: {what}.");
    }
}
