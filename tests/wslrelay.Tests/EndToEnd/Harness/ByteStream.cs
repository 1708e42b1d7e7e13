using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>An endless stream of bytes that are a function of their position, to be sent and checked without being stored.</summary>
internal sealed class ByteStream(int seed)
{
    // A length that no buffer size divides, so that a block lost or sent twice is found.
    private readonly byte[] _block = Net.RandomBytes(1_048_573, seed);

    /// <summary>Sends the bytes from <paramref name="from"/> up to <paramref name="to"/>.</summary>
    public async Task SendAsync(Socket socket, long from, long to)
    {
        for (var position = from; position < to;)
            position += await socket.SendAsync(At(position, to)).AsTask().WaitAsync(Limits.TransferTimeout);
    }

    /// <summary>Sends until the token is cancelled; returns how many bytes.</summary>
    public async Task<long> SendUntilAsync(Socket socket, CancellationToken stop)
    {
        var position = 0L;
        while (!stop.IsCancellationRequested)
            position += await socket.SendAsync(At(position, long.MaxValue), CancellationToken.None).AsTask().WaitAsync(Limits.TransferTimeout, CancellationToken.None);

        return position;
    }

    /// <summary>Receives and checks up to a clean end; returns how many bytes.</summary>
    public async Task<long> ReceiveToEndAsync(Socket socket, long from = 0)
    {
        var buffer = new byte[256 * 1024];
        var position = from;
        while (await socket.ReceiveAsync(buffer).WaitAsync(Limits.TransferTimeout) is > 0 and var count)
        {
            Check(buffer.AsSpan(0, count), position);
            position += count;
        }

        return position;
    }

    private ReadOnlyMemory<byte> At(long position, long to)
    {
        var start = (int)(position % _block.Length);
        return _block.AsMemory(start, (int)Math.Min(_block.Length - start, to - position));
    }

    private void Check(ReadOnlySpan<byte> bytes, long position)
    {
        while (!bytes.IsEmpty)
        {
            var expected = At(position, position + bytes.Length).Span;
            Assert.True(bytes[..expected.Length].SequenceEqual(expected), $"A wrong byte between {position} and {position + expected.Length}.");
            bytes = bytes[expected.Length..];
            position += expected.Length;
        }
    }
}
