using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json.Nodes;
using MessagePack;
using RelayProtocol.Rpc;
using RelayProtocol.Tests.Rpc;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Values as other implementations encode them, in each place of a message that can hold one.</summary>
public class VectorTests
{
    public static TheoryData<string, int, string> All => VectorFile.Rows(VectorFile.All, static _ => true);

    // The types of the protocol's messages, in the encoding that other implementations write: the shortest.
    public static TheoryData<string, int, string> Written =>
        VectorFile.Rows(VectorFile.Shortest, static value => (string)value[0]! is "str" || (Integer(value) is { } number && number <= long.MaxValue));

    [Fact]
    public void The_files_contain_every_format_code()
    {
        IEnumerable<int> expected = Enumerable.Range(0xc0, 0x20).Where(code => code != 0xc1);
        IEnumerable<int> codes = VectorFile.AllBytes().Select(bytes => (int)bytes[0]).Where(code => code is >= 0xc0 and < 0xe0);
        Assert.Equal(expected, codes.Distinct().Order());
        Assert.True(All.Count > 400 && Written.Count > 100, $"{All.Count} values, {Written.Count} of them written.");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Unknown_keys_and_values_of_every_type_are_ignored(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        byte[] value = VectorFile.Read(file, line).Bytes;
        byte[] mapping = [0x83, .. Pack.Str("unknown"), .. value, .. value, 0xc0, .. Pack.Str("guestPort"), 80];
        byte[] request = [0x94, 0, 7, .. Pack.Str("map"), 0x91, .. mapping];
        RpcEnvelope envelope = RpcEnvelope.Parse(ReadInPieces(request, request.Length > 1000 ? 997 : 1));
        Assert.Equal((RpcKind.Request, 7u, "map"), (envelope.Kind, envelope.MsgId, envelope.Method));
        Assert.Equal(new PortMapping(0, 80), Assert.Single(WireFormat.ReadMapParams(envelope.Params)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Text_is_read_from_every_encoding_and_nothing_else_is_text(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        (JsonNode value, byte[] bytes) = VectorFile.Read(file, line);
        RpcEnvelope envelope = RpcEnvelope.Parse((byte[])[0x94, 0, 7, .. bytes, 0x90]);
        if ((string)value[0]! is "str" or "bin")
        {
            Assert.Equal(RpcKind.Request, envelope.Kind);
            Assert.Equal(Encoding.UTF8.GetString(HexRuns.Parse((string)value[1]!)), envelope.Method);
        }
        else
        {
            Assert.Equal("Not an RPC message: method is a string.", envelope.Problem);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void An_integer_is_read_from_every_encoding_and_nothing_else_is_an_integer(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        (JsonNode value, byte[] bytes) = VectorFile.Read(file, line);
        byte[] parameters = [0x91, 0x82, .. Pack.Str("hostPort"), .. bytes, .. Pack.Str("guestPort"), 80];
        if ((string)value[0]! == "nil")
        {
            Assert.Equal(0, Assert.Single(WireFormat.ReadMapParams(parameters)).HostPort);
        }
        else if (Integer(value) is { } number && number >= 0 && number <= 65535)
        {
            Assert.Equal(number, Assert.Single(WireFormat.ReadMapParams(parameters)).HostPort);
        }
        else
        {
            string problem = Integer(value) is { } outside ? $"{outside} is out of range 0..65535" : "is not an integer";
            Assert.Equal($"hostPort: {problem}", Assert.Throws<RelayException>(() => WireFormat.ReadMapParams(parameters)).Message);
        }
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void Text_and_integers_are_written_as_other_libraries_write_them(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        (JsonNode value, byte[] bytes) = VectorFile.Read(file, line);
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        byte[] expected;
        if (Integer(value) is { } number)
        {
            WireFormat.WriteUnmapResult(ref writer, new UnmapResult((long)number, 0));
            expected = [0x82, 0xa6, .. "active"u8, .. bytes, 0xa5, .. "reset"u8, 0];
        }
        else
        {
            WireFormat.WriteError(ref writer, new RelayError(0, Encoding.UTF8.GetString(HexRuns.Parse((string)value[1]!)), ""));
            expected = [0x83, 0xa4, .. "code"u8, 0, 0xa4, .. "name"u8, .. bytes, 0xa7, .. "message"u8, 0xa0];
        }
        writer.Flush();
        Assert.Equal(HexRuns.Format(expected), HexRuns.Format(output.WrittenSpan));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_scanner_finds_exactly_the_end_of_an_object(string file, int line, string text)
    {
        Assert.NotEmpty(text);
        byte[] bytes = VectorFile.Read(file, line).Bytes;
        var scanner = new MessageScanner(maxSize: 1 << 20);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.InRange(scanner.Missing, 1, bytes.Length - length);
            Assert.Equal(
                length + 1 < bytes.Length ? ScanStatus.NeedMore : ScanStatus.Complete, scanner.Scan(bytes.AsSpan(length, 1), out _));
        }

        byte[] followed = [.. bytes, 0xc1];
        Assert.Equal(ScanStatus.Complete, scanner.Scan(followed, out int consumed));
        Assert.Equal(bytes.Length, consumed);
        var reader = new MessagePackReader(followed);
        reader.Skip();
        Assert.Equal(bytes.Length, reader.Consumed);
    }

    private static BigInteger? Integer(JsonNode value) =>
        (string)value[0]! == "int" ? BigInteger.Parse((string)value[1]!, CultureInfo.InvariantCulture) : null;

    private static ReadOnlyMemory<byte> ReadInPieces(byte[] stream, int length)
    {
        var reader = new RpcReader(maxSize: 1 << 20);
        foreach (byte[] piece in stream.Chunk(length))
        {
            Assert.False(reader.TryRead(out _));
            reader.Append(piece);
        }
        Assert.True(reader.TryRead(out ReadOnlyMemory<byte> message));
        Assert.Equal(0, reader.BufferedBytes);
        return message;
    }
}
