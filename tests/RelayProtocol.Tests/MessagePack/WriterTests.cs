using System.Buffers;
using System.Text.Json.Nodes;
using RelayProtocol.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>What the writer does beyond plain values: explicit widths, null, lone surrogates, buffers of every size.</summary>
public class WriterTests
{
    private delegate void Write(ref MessagePackWriter writer);

    [Fact]
    public void A_width_in_the_name_is_the_width_written()
    {
        Assert.Equal("CC05", Written(static (ref w) => w.WriteUInt8(5)));
        Assert.Equal("CD0005", Written(static (ref w) => w.WriteUInt16(5)));
        Assert.Equal("CE00000005", Written(static (ref w) => w.WriteUInt32(5)));
        Assert.Equal("CF0000000000000005", Written(static (ref w) => w.WriteUInt64(5)));
        Assert.Equal("D0FB", Written(static (ref w) => w.WriteInt8(-5)));
        Assert.Equal("D1FFFB", Written(static (ref w) => w.WriteInt16(-5)));
        Assert.Equal("D2FFFFFFFB", Written(static (ref w) => w.WriteInt32(-5)));
        Assert.Equal("D3FFFFFFFFFFFFFFFB", Written(static (ref w) => w.WriteInt64(-5)));
    }

    [Fact]
    public void Null_is_nil_and_empty_is_not()
    {
        Assert.Equal("C0", Written(static (ref w) => w.Write((string?)null)));
        Assert.Equal("C0", Written(static (ref w) => w.Write((byte[]?)null)));
        Assert.Equal("A0", Written(static (ref w) => w.Write("")));
        Assert.Equal("A0", Written(static (ref w) => w.Write(ReadOnlySpan<char>.Empty)));
        Assert.Equal("C400", Written(static (ref w) => w.Write(Array.Empty<byte>())));
        Assert.Equal("C400", Written(static (ref w) => w.Write(ReadOnlySpan<byte>.Empty)));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_replaced() =>
        Assert.Equal("A561EFBFBD62", Written(static (ref w) => w.Write("a\ud800b")));

    [Fact]
    public void A_negative_count_is_refused()
    {
        Assert.Throws<OverflowException>(() => Written(static (ref w) => w.WriteArrayHeader(-1)));
        Assert.Throws<OverflowException>(() => Written(static (ref w) => w.WriteMapHeader(-1)));
        Assert.Throws<OverflowException>(() => Written(static (ref w) => w.WriteStringHeader(-1)));
        Assert.Throws<OverflowException>(() => Written(static (ref w) => w.WriteBinHeader(-1)));
        Assert.Throws<OverflowException>(() => new ExtensionHeader(1, -1));
    }

    [Fact]
    public void Headers_reach_their_largest_counts()
    {
        Assert.Equal("DDFFFFFFFF", Written(static (ref w) => w.WriteArrayHeader(uint.MaxValue)));
        Assert.Equal("DFFFFFFFFF", Written(static (ref w) => w.WriteMapHeader(uint.MaxValue)));
        Assert.Equal("DB7FFFFFFF", Written(static (ref w) => w.WriteStringHeader(int.MaxValue)));
        Assert.Equal("C67FFFFFFF", Written(static (ref w) => w.WriteBinHeader(int.MaxValue)));
        Assert.Equal("C9FFFFFFFF80", Written(static (ref w) => w.WriteExtensionFormatHeader(new(sbyte.MinValue, uint.MaxValue))));
    }

    [Fact]
    public void A_local_time_is_converted_and_an_unspecified_one_taken_for_utc()
    {
        var utc = new DateTime(2024, 2, 29, 12, 0, 0, DateTimeKind.Utc);
        string expected = Written((ref w) => w.Write(utc));
        Assert.Equal(expected, Written((ref w) => w.Write(DateTime.SpecifyKind(utc, DateTimeKind.Unspecified))));
        Assert.Equal(expected, Written((ref w) => w.Write(utc.ToLocalTime())));

        DateTime read = new MessagePackReader(Convert.FromHexString(expected)).ReadDateTime();
        Assert.Equal((utc, DateTimeKind.Utc), (read, read.Kind));
    }

    [Theory]
    [InlineData("c70cff 00000000 7fffffffffffffff")]
    [InlineData("c70cff 00000000 8000000000000000")]
    [InlineData("c70cff 00000000 0000003afff44180")] // the first second of the year 10000
    [InlineData("c70cff 00000000 fffffff1886e08ff")] // the last second before the year 1
    [InlineData("c70cff 3b9aca00 0000000000000000")] // 10^9 nanoseconds
    [InlineData("d7ff ee6b280000000000")]
    [InlineData("d5ff 0000")]
    [InlineData("d601 00000000")]
    public void An_impossible_timestamp_is_refused(string hex)
    {
        byte[] bytes = HexRuns.Parse(hex);
        Assert.Throws<MessagePackSerializationException>(() => new MessagePackReader(bytes).ReadDateTime());
    }

    [Fact]
    public void Pieces_are_written_as_one_value()
    {
        ReadOnlySequence<byte> abc = Segments.Cut("abc"u8.ToArray(), 1);
        Assert.Equal("A3616263", Written((ref w) => w.WriteString(abc)));
        Assert.Equal("C403616263", Written((ref w) => w.Write(abc)));
        Assert.Equal("616263", Written((ref w) => w.WriteRaw(abc)));
        Assert.Equal("C70305616263", Written((ref w) => w.WriteExtensionFormat(new ExtensionResult(5, abc))));
        Assert.Equal("A3616263", Written(static (ref w) => w.WriteString("abc"u8)));
    }

    [Fact]
    public void Room_that_was_asked_for_may_be_filled_in_part()
    {
        Assert.Equal("0102C0", Written(static (ref w) =>
        {
            Span<byte> room = w.GetSpan(10);
            room[0] = 1;
            room[1] = 2;
            w.Advance(2);
            w.WriteNil();
        }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Written(static (ref w) => w.Advance(w.GetSpan(1).Length + 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Written(static (ref w) =>
        {
            w.WriteNil();
            w.Advance(-1);
        }));
    }

    [Fact]
    public void Every_vector_passes_through_a_buffer_that_gives_no_byte_too_many()
    {
        foreach (byte[] bytes in VectorFile.AllBytes().Where(bytes => bytes.Length < 1000))
        {
            JsonNode value = TaggedValue.Decode(new ReadOnlySequence<byte>(bytes));
            var exact = new ExactWriter();
            var writer = new MessagePackWriter(exact);
            TaggedValue.Write(ref writer, JsonNode.Parse(value.ToJsonString())!);
            writer.Flush();
            Assert.Equal(HexRuns.Format(TaggedValue.Encode(JsonNode.Parse(value.ToJsonString())!)), HexRuns.Format(exact.Bytes));
        }
    }

    [Fact]
    public void A_flushed_writer_goes_on()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output) { CancellationToken = TestContext.Current.CancellationToken };
        writer.Write(1);
        writer.Flush();
        writer.Flush();
        Assert.Equal(1, output.WrittenCount);
        writer.Write(2);
        Assert.Equal(1, output.WrittenCount);

        MessagePackWriter other = writer.Clone(output);
        Assert.Equal(writer.CancellationToken, other.CancellationToken);
        writer.Flush();
        Assert.Equal([1, 2], output.WrittenSpan.ToArray());
    }

    private static string Written(Write write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        writer.Flush();
        return Convert.ToHexString(output.WrittenSpan);
    }

    /// <summary>Gives exactly the room that is asked for, and fresh room each time, so that any byte kept for later is lost.</summary>
    private sealed class ExactWriter : IBufferWriter<byte>
    {
        private readonly List<byte> _bytes = [];
        private byte[] _room = [];

        public byte[] Bytes => [.. _bytes];

        public void Advance(int count)
        {
            _bytes.AddRange(_room.AsSpan(0, count));
            _room = [];
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => _room = new byte[Math.Max(1, sizeHint)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
