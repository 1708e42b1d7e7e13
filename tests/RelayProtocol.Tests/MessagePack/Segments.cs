using System.Buffers;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Bytes cut into pieces, as they may lie in a pipe.</summary>
internal static class Segments
{
    /// <summary>A sequence of the bytes in pieces of one length, with an empty piece after each.</summary>
    public static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> bytes, int length)
    {
        var first = new Piece(default, null);
        Piece last = first;
        for (int start = 0; start < bytes.Length; start += length)
        {
            last = new Piece(bytes.Slice(start, Math.Min(length, bytes.Length - start)), last);
            last = new Piece(default, last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
