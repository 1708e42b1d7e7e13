using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>Bytes whose every position is known, so that a lost, duplicated or swapped piece is found.</summary>
internal static class Pattern
{
    // A prime length, so that no power of two of the code under test can hide a shift.
    private const int Length = 1_048_573;
    private static readonly byte[] s_bytes = Make();

    internal static byte[] Bytes(int length)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        Fill(bytes, 0);
        return bytes;
    }

    internal static void Fill(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            ReadOnlySpan<byte> piece = s_bytes.AsSpan((int)(offset % Length));
            int count = Math.Min(piece.Length, bytes.Length);
            piece[..count].CopyTo(bytes);
            bytes = bytes[count..];
            offset += count;
        }
    }

    internal static void Check(ReadOnlySpan<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            ReadOnlySpan<byte> piece = s_bytes.AsSpan((int)(offset % Length));
            int count = Math.Min(piece.Length, bytes.Length);
            if (!piece[..count].SequenceEqual(bytes[..count]))
            {
                int at = piece[..count].CommonPrefixLength(bytes[..count]);
                Assert.Fail($"other bytes at {offset + at}");
            }

            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <summary>Sends so many bytes of it, then the end.</summary>
    internal static void Send(Socket to, long length)
    {
        byte[] buffer = new byte[100_000];
        for (long sent = 0; sent < length;)
        {
            Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - sent));
            Fill(piece, sent);
            // Under Wine a blocking send may accept only a part.
            sent += to.Send(piece);
        }

        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Receives to the end; returns how many bytes came, all of them right.</summary>
    internal static long Receive(Socket from)
    {
        byte[] buffer = new byte[100_000];
        long received = 0;
        int count;
        while ((count = from.Receive(buffer)) > 0)
        {
            Check(buffer.AsSpan(0, count), received);
            received += count;
        }

        return received;
    }

    private static byte[] Make()
    {
        byte[] bytes = new byte[Length];
        new Random(20260712).NextBytes(bytes);
        return bytes;
    }
}
