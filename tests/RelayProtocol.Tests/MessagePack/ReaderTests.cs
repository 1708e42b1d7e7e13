using System.Buffers;
using System.Text;
using RelayProtocol.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>What the reader does beyond plain values: wrong types, announced lengths, pieces, looking ahead.</summary>
public class ReaderTests
{
    private delegate void Read(ref MessagePackReader reader);

    private static readonly Dictionary<MessagePackType, Read[]> s_reads = new()
    {
        [MessagePackType.Nil] = [static (ref r) => r.ReadNil()],
        [MessagePackType.Boolean] = [static (ref r) => r.ReadBoolean()],
        [MessagePackType.Integer] = [static (ref r) => r.ReadInt64(), static (ref r) => r.ReadUInt64(), static (ref r) => r.ReadByte()],
        [MessagePackType.Float] = [static (ref r) => r.ReadSingle(), static (ref r) => r.ReadDouble()],
        [MessagePackType.String] =
        [
            static (ref r) => r.ReadString(), static (ref r) => r.ReadStringSequence(), static (ref r) => r.TryReadStringSpan(out _),
        ],
        [MessagePackType.Binary] = [static (ref r) => r.ReadBytes()],
        [MessagePackType.Array] = [static (ref r) => r.ReadArrayHeader(), static (ref r) => r.TryReadArrayHeader(out _)],
        [MessagePackType.Map] = [static (ref r) => r.ReadMapHeader(), static (ref r) => r.TryReadMapHeader(out _)],
        [MessagePackType.Extension] =
        [
            static (ref r) => r.ReadExtensionFormat(), static (ref r) => r.ReadExtensionFormatHeader(),
            static (ref r) => r.TryReadExtensionFormatHeader(out _), static (ref r) => r.ReadDateTime(),
        ],
    };

    [Fact]
    public void Another_type_is_refused()
    {
        for (int code = 0; code < 256; code++)
        {
            MessagePackType actual = MessagePackCode.ToMessagePackType((byte)code);
            byte[] bytes = new byte[64];
            bytes[0] = (byte)code;
            foreach ((MessagePackType wanted, Read[] reads) in s_reads)
            {
                bool accepted = wanted == actual
                    || (wanted == MessagePackType.Float && actual == MessagePackType.Integer)
                    || (wanted is MessagePackType.String or MessagePackType.Binary && actual == MessagePackType.Nil);
                foreach (Read read in reads)
                {
                    if (!accepted)
                    {
                        Exception thrown = Assert.Throws<MessagePackSerializationException>(() => Run(bytes, read));
                        Assert.Contains($"{code} ({MessagePackCode.ToFormatName((byte)code)})", thrown.Message, StringComparison.Ordinal);
                    }
                }
            }
        }
    }

    [Fact]
    public void Nothing_can_be_read_of_nothing()
    {
        Read[] reads =
        [
            .. s_reads.SelectMany(entry => entry.Value.Take(entry.Key is MessagePackType.Array or MessagePackType.Map ? 1 : 2)),
            static (ref r) => r.ReadDateTime(), static (ref r) => r.Skip(), static (ref r) => r.ReadRaw(),
            static (ref r) => r.TryReadNil(), static (ref r) => _ = r.NextCode, static (ref r) => r.TryReadStringSpan(out _),
        ];
        foreach (Read read in reads)
        {
            Assert.Throws<EndOfStreamException>(() => Run([], read));
        }

        var reader = new MessagePackReader(ReadOnlyMemory<byte>.Empty);
        Assert.False(reader.TryReadArrayHeader(out _) || reader.TryReadMapHeader(out _) || reader.TryReadExtensionFormatHeader(out _));
        Assert.True(reader.End);
    }

    [Theory]
    [InlineData("9f")]
    [InlineData("91")]
    [InlineData("dc0001")]
    [InlineData("ddffffffff")]
    [InlineData("dd80000000 01*32")]
    [InlineData("dd7fffffff 01*32")]
    [InlineData("8101")]
    [InlineData("dfffffffff")]
    [InlineData("df80000000 01*32")]
    [InlineData("df00000011 01*33")]
    [InlineData("dbffffffff")]
    [InlineData("db80000000 61*32")]
    [InlineData("c6ffffffff")]
    [InlineData("c8ffff01 00*32")]
    [InlineData("c9ffffffff01 00*32")]
    [InlineData("c9ffffffff")]
    [InlineData("c70cff 00*11")]
    public void An_announced_length_beyond_the_bytes_is_their_end(string hex)
    {
        byte[] bytes = HexRuns.Parse(hex);
        MessagePackType type = MessagePackCode.ToMessagePackType(bytes[0]);
        int reads = type is MessagePackType.Array or MessagePackType.Map ? 1 : 2;
        foreach (Read read in s_reads[type].Take(reads).Append(static (ref r) => r.Skip()))
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<EndOfStreamException>(() => Run(bytes, read));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        }
    }

    [Fact]
    public void Try_header_takes_all_or_nothing()
    {
        foreach (string hex in new[] { "dc00", "dd000000", "de00", "df000000", "c700", "d4", "c80001", "c900000001" })
        {
            var reader = new MessagePackReader(HexRuns.Parse(hex));
            bool taken = reader.NextMessagePackType switch
            {
                MessagePackType.Array => reader.TryReadArrayHeader(out _),
                MessagePackType.Map => reader.TryReadMapHeader(out _),
                _ => reader.TryReadExtensionFormatHeader(out _),
            };
            Assert.False(taken);
            Assert.Equal(0, reader.Consumed);
        }

        var array = new MessagePackReader(HexRuns.Parse("dd7fffffff"));
        Assert.True(array.TryReadArrayHeader(out int count));
        Assert.Equal(int.MaxValue, count);
        Assert.Throws<OverflowException>(() => Run(HexRuns.Parse("dd80000000"), static (ref r) => r.TryReadArrayHeader(out _)));
    }

    [Fact]
    public void Text_that_is_not_utf8_is_replaced()
    {
        var reader = new MessagePackReader(HexRuns.Parse("a8 61 ff c328 eda080 62"));
        Assert.Equal("a\ufffd\ufffd(\ufffd\ufffd\ufffdb", reader.ReadString());
    }

    [Fact]
    public void Text_in_one_piece_is_a_span_and_otherwise_stays_unread()
    {
        byte[] bytes = [0xa3, .. "abc"u8, 0xc0];
        var reader = new MessagePackReader(bytes);
        Assert.True(reader.TryReadStringSpan(out ReadOnlySpan<byte> span));
        Assert.Equal("abc", Encoding.UTF8.GetString(span));
        Assert.Equal(4, reader.Consumed);
        Assert.False(reader.TryReadStringSpan(out _));
        Assert.Equal(4, reader.Consumed);

        var pieces = new MessagePackReader(Segments.Cut(bytes, 2));
        Assert.False(pieces.TryReadStringSpan(out _));
        Assert.Equal(0, pieces.Consumed);
        Assert.Equal("abc", pieces.ReadString());
        Assert.Null(pieces.ReadString());
    }

    [Fact]
    public void Looking_ahead_does_not_move_the_reader()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var reader = new MessagePackReader(HexRuns.Parse("92 05 c0")) { Depth = 3, CancellationToken = token };
        MessagePackReader ahead = reader.CreatePeekReader();
        Assert.Equal(2, ahead.ReadArrayHeader());
        Assert.Equal(5, ahead.ReadInt32());
        Assert.True(ahead.IsNil && ahead.TryReadNil() && ahead.End);
        Assert.Equal(0, reader.Consumed);
        Assert.False(reader.TryReadNil());
        Assert.Equal((0x92, MessagePackType.Array), (reader.NextCode, reader.NextMessagePackType));

        MessagePackReader other = reader.Clone(new ReadOnlySequence<byte>([0x07]));
        Assert.Equal((3, token, 7), (other.Depth, other.CancellationToken, other.ReadInt32()));
    }

    [Fact]
    public void Raw_bytes_are_a_view()
    {
        byte[] bytes = HexRuns.Parse("92 a161 81 c0 01 05 06 07");
        foreach (ReadOnlySequence<byte> sequence in new[] { new ReadOnlySequence<byte>(bytes), Segments.Cut(bytes, 1) })
        {
            var reader = new MessagePackReader(sequence);
            Assert.Equal(bytes[..6], reader.ReadRaw().ToArray());
            Assert.Equal(bytes[6..8], reader.ReadRaw(2).ToArray());
            Assert.Equal(bytes[8..], reader.Sequence.Slice(reader.Position).ToArray());
            Assert.Equal(0, reader.ReadRaw(0).Length);
        }

        Assert.Throws<EndOfStreamException>(() => Run(bytes, static (ref r) => r.ReadRaw(10)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(bytes, static (ref r) => r.ReadRaw(-1)));
    }

    [Fact]
    public void Skipping_a_million_nested_arrays_costs_no_stack()
    {
        byte[] bytes = new byte[1_000_001];
        Array.Fill(bytes, (byte)0x91);
        bytes[^1] = 0xc0;
        var reader = new MessagePackReader(bytes);
        reader.Skip();
        Assert.True(reader.End);
    }

    [Fact]
    public void The_code_never_used_is_refused_wherever_it_is()
    {
        Assert.Throws<MessagePackSerializationException>(() => Run([0xc1], static (ref r) => r.Skip()));
        Assert.Throws<MessagePackSerializationException>(() => Run([0x92, 0x01, 0xc1], static (ref r) => r.ReadRaw()));
        Assert.Throws<MessagePackSerializationException>(() => Run([0xc1], static (ref r) => r.ReadString()));
        Assert.Equal(MessagePackType.Unknown, new MessagePackReader(new byte[] { 0xc1 }).NextMessagePackType);
    }

    private static void Run(byte[] bytes, Read read)
    {
        var reader = new MessagePackReader(bytes);
        read(ref reader);
    }
}
