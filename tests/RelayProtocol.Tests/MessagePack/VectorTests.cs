using System.Buffers;
using System.Text.Json.Nodes;
using MessagePack;
using RelayProtocol.Rpc;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Bytes that other implementations produced are what our writer writes and what our reader understands.</summary>
public class VectorTests
{
    // Without the instants that are finer than DateTime: those can only be read.
    public static TheoryData<string, int, string> Chosen => VectorFile.Rows(
        VectorFile.Chosen, static value => (string)value[0]! != "time" || (long)value[2]! % 100 == 0);

    public static TheoryData<string, int, string> All => VectorFile.Rows(VectorFile.All, static _ => true);

    [Fact]
    public void Files_hold_every_format()
    {
        IEnumerable<int> expected = Enumerable.Range(0xc0, 0x20).Where(code => code != MessagePackCode.NeverUsed);
        IEnumerable<int> codes = VectorFile.AllBytes().Select(bytes => (int)bytes[0]).Where(code => code is >= 0xc0 and < 0xe0);
        Assert.Equal(expected, codes.Distinct().Order());
        Assert.True(Chosen.Count > 330);
    }

    [Theory]
    [MemberData(nameof(Chosen))]
    public void Writer_gives_the_same_bytes(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        (JsonNode value, byte[] bytes) = VectorFile.Read(file, line);
        Assert.Equal(HexRuns.Format(bytes), HexRuns.Format(TaggedValue.Encode(value)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Reader_gives_the_same_value(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        (JsonNode value, byte[] bytes) = VectorFile.Read(file, line);
        string expected = TaggedValue.Canonical(value).ToJsonString();
        Assert.Equal(expected, TaggedValue.Decode(new ReadOnlySequence<byte>(bytes)).ToJsonString());
        Assert.Equal(expected, TaggedValue.Decode(Segments.Cut(bytes, bytes.Length > 1000 ? 997 : 1)).ToJsonString());
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Skip_and_scanner_find_the_end(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        byte[] bytes = [.. VectorFile.Read(file, line).Bytes, 0xc1];
        var reader = new MessagePackReader(bytes);
        Assert.Equal(bytes.Length - 1, reader.ReadRaw().Length);

        var scanner = new MessageScanner(maxSize: 1 << 20);
        Assert.Equal(ScanStatus.Complete, scanner.Scan(bytes, out int consumed));
        Assert.Equal(bytes.Length - 1, consumed);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_proper_prefix_is_incomplete(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        byte[] bytes = VectorFile.Read(file, line).Bytes;
        var scanner = new MessageScanner(maxSize: 1 << 20);
        for (int length = 0; length < bytes.Length; length++)
        {
            // The scanner sees them all; of long runs of equal bytes the reader, which throws each time, sees a part.
            if (length < 600 || length > bytes.Length - 600 || length % 211 == 0)
            {
                var prefix = new ReadOnlySequence<byte>(bytes, 0, length);
                Assert.True(IsIncomplete(prefix, decode: true), $"{length} bytes of {bytes.Length} were decoded.");
                Assert.True(IsIncomplete(prefix, decode: false), $"{length} bytes of {bytes.Length} were skipped.");
            }

            Assert.InRange(scanner.Missing, 1, bytes.Length - length);
            Assert.Equal(
                length + 1 < bytes.Length ? ScanStatus.NeedMore : ScanStatus.Complete, scanner.Scan(bytes.AsSpan(length, 1), out _));
        }
    }

    private static bool IsIncomplete(in ReadOnlySequence<byte> bytes, bool decode)
    {
        try
        {
            if (decode)
            {
                _ = TaggedValue.Decode(bytes);
            }
            else
            {
                var reader = new MessagePackReader(bytes);
                reader.Skip();
            }

            return false;
        }
        catch (EndOfStreamException)
        {
            return true;
        }
    }
}
