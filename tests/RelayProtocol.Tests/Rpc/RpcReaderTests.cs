using RelayProtocol.Rpc;
using RelayProtocol.Tests.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

/// <summary>Whole messages out of a stream in pieces, with bounded memory, and the error when the stream is broken.</summary>
public class RpcReaderTests
{
    private static readonly string[] s_messages = ["93 02 a178 90", "c0", "94 00 05 a16d 91 c403 010203", "cd1234", "a3 616263", "80"];

    [Fact]
    public void Messages_are_whole_however_the_stream_is_split()
    {
        byte[] stream = HexRuns.Parse(string.Join(' ', s_messages));
        for (int piece = 1; piece <= stream.Length; piece++)
        {
            var reader = new RpcReader();
            var read = new List<string>();
            foreach (byte[] bytes in stream.Chunk(piece))
            {
                reader.Append(bytes);
                while (reader.TryRead(out ReadOnlyMemory<byte> message))
                    read.Add(Convert.ToHexStringLower(message.Span));
            }

            Assert.Equal(s_messages.Select(text => text.Replace(" ", "", StringComparison.Ordinal)), read);
            Assert.Equal(0, reader.BufferedBytes);
            reader.Complete();
        }
    }

    [Fact]
    public void Several_messages_are_valid_together_until_more_is_appended()
    {
        var reader = new RpcReader();
        reader.Append(HexRuns.Parse("a3 616263 a3 646566 92 01"));
        Assert.True(reader.TryRead(out ReadOnlyMemory<byte> first));
        Assert.True(reader.TryRead(out ReadOnlyMemory<byte> second));
        Assert.False(reader.TryRead(out _));
        Assert.Equal("A3616263", Convert.ToHexString(first.Span));
        Assert.Equal("A3646566", Convert.ToHexString(second.Span));
        Assert.Equal(2, reader.BufferedBytes);
        reader.Append([0x02]);
        Assert.True(reader.TryRead(out ReadOnlyMemory<byte> third));
        Assert.Equal("920102", Convert.ToHexString(third.Span));
    }

    [Theory]
    [InlineData("c1", nameof(ScanStatus.Malformed), "at byte 3: the bytes are not MessagePack.")]
    [InlineData("dbffffffff", nameof(ScanStatus.TooLarge), "at byte 7: a message is larger than 65536 bytes.")]
    [InlineData("91*17", nameof(ScanStatus.TooDeep), "at byte 19: a message nests deeper than 16.")]
    public void A_broken_stream_gives_what_came_before_and_then_only_the_error(string hex, string reason, string message)
    {
        var reader = new RpcReader();
        reader.Append(HexRuns.Parse($"c0 c0 {hex} c0"));
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out _));
        RpcFormatException thrown = Assert.Throws<RpcFormatException>(() => reader.TryRead(out _));
        Assert.Equal(reason, thrown.Reason.ToString());
        Assert.Equal($"The control stream is broken {message}", thrown.Message);
        foreach (Action again in new Action[] { () => reader.TryRead(out _), () => reader.Append([0xc0]), reader.Complete })
            Assert.Equal(thrown.Message, Assert.Throws<RpcFormatException>(again).Message);

        Assert.Equal(0, reader.Capacity);
    }

    [Fact]
    public void A_stream_that_ends_within_a_message_is_truncated()
    {
        var reader = new RpcReader();
        reader.Append([0x92, 0x01]);
        Assert.False(reader.TryRead(out _));
        Assert.Equal(ScanStatus.NeedMore, Assert.Throws<RpcFormatException>(reader.Complete).Reason);
    }

    [Fact]
    public void The_largest_message_passes_and_the_buffer_shrinks_afterwards()
    {
        byte[] largest = HexRuns.Parse("db 0000fffb 61*65531");
        var reader = new RpcReader();
        int highest = 0;
        foreach (byte[] piece in largest.Concat(largest).Chunk(1000))
        {
            reader.Append(piece);
            while (reader.TryRead(out ReadOnlyMemory<byte> message))
                Assert.True(message.Span.SequenceEqual(largest));

            highest = Math.Max(highest, reader.Capacity);
        }

        Assert.InRange(highest, largest.Length, 2 * largest.Length);
        Assert.Equal(0, reader.BufferedBytes);
        Assert.InRange(reader.Capacity, 0, RpcReader.RestingCapacity);
    }

    [Fact]
    public void A_long_run_of_small_messages_uses_one_small_buffer()
    {
        var reader = new RpcReader();
        byte[] piece = HexRuns.Parse("a161 a162 a1");
        byte[] rest = HexRuns.Parse("63");
        reader.Append(piece);

        // The first messages of a process initialize the format's tables.
        ReadAndAppend(10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ReadAndAppend(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(RpcReader.RestingCapacity, reader.Capacity);

        void ReadAndAppend(int count)
        {
            for (int i = 0; i < count; i++)
            {
                while (reader.TryRead(out _))
                {
                }

                reader.Append(rest);
                reader.Append(piece);
            }
        }
    }

    [Fact]
    public void Appending_without_reading_is_bounded()
    {
        var reader = new RpcReader(maxSize: 100);
        reader.Append(new byte[99]);
        reader.Append(new byte[1]);
        Assert.Throws<InvalidOperationException>(() => reader.Append([0]));
        Assert.True(reader.TryRead(out _));
        reader.Append([0]);
    }
}
