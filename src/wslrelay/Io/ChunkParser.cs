namespace Wslrelay.Io;

/// <summary>Takes the lengths out of a stream of chunks (<see cref="ChunkMode"/>), however it was cut up on its way.</summary>
internal sealed class ChunkParser
{
    internal const int HeaderSize = 4;

    private bool _isBroken;
    private uint _length;
    private int _headerBytes;

    /// <summary>The end of sending has come.</summary>
    internal bool Ended { get; private set; }

    /// <summary>Leaves what the chunks hold at the front of <paramref name="bytes"/>. Returns its size; -1 if anything follows the end.</summary>
    internal int Parse(Span<byte> bytes)
    {
        // Nothing after a violation is trusted, and no end of sending reported.
        if (_isBroken)
            return -1;

        int size = 0;
        for (int next = 0; next < bytes.Length;)
        {
            if (Ended)
            {
                _isBroken = true;
                Ended = false;
                return -1;
            }

            if (_headerBytes < HeaderSize)
            {
                // Four shifts discard the previous length.
                _length = (_length << 8) | bytes[next++];
                _headerBytes++;
                Ended = _headerBytes == HeaderSize && _length == 0;
                continue;
            }

            int count = (int)Math.Min(_length, (uint)(bytes.Length - next));
            bytes.Slice(next, count).CopyTo(bytes[size..]);
            next += count;
            size += count;
            _length -= (uint)count;
            if (_length == 0)
                _headerBytes = 0;
        }

        return size;
    }
}
