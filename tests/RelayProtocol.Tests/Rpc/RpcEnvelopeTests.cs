using System.Buffers;
using MessagePack;
using RelayProtocol.Rpc;
using RelayProtocol.Tests.MessagePack;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

/// <summary>Messages written and parsed, in every encoding, and invalid ones.</summary>
public class RpcEnvelopeTests
{
    private delegate void Write(ref MessagePackWriter writer);

    [Theory]
    [InlineData("94 00 05 a36d6170 91 80", 5u)]
    [InlineData("94 cc00 ceffffffff d9036d6170 dc0001 80", uint.MaxValue)]
    [InlineData("dc0004 d30000000000000000 d30000000000000007 da00036d6170 dd00000001 80", 7u)]
    [InlineData("dd00000004 cf0000000000000000 cf0000000000000007 c4036d6170 91 80", 7u)]
    [InlineData("94 00 00 db000000036d6170 91 80", 0u)]
    [InlineData("94 00 00 c6000000036d6170 91 80", 0u)]
    public void A_request_is_understood_in_every_encoding(string hex, uint msgId)
    {
        RpcEnvelope envelope = RpcEnvelope.Parse(HexRuns.Parse(hex));
        Assert.Equal((RpcKind.Request, msgId, "map", ""), (envelope.Kind, envelope.MsgId, envelope.Method, envelope.Problem));
        var reader = new MessagePackReader(envelope.Params);
        Assert.Equal(1, reader.ReadArrayHeader());
        Assert.Equal(0, reader.ReadMapHeader());
        Assert.True(reader.End && envelope.Error.IsEmpty && envelope.Result.IsEmpty);
    }

    [Fact]
    public void Responses_and_notifications_are_understood()
    {
        RpcEnvelope result = RpcEnvelope.Parse(HexRuns.Parse("94 01 09 c0 92 01 02"));
        Assert.Equal((RpcKind.Response, 9u, true), (result.Kind, result.MsgId, result.Error.IsEmpty));
        Assert.Equal("920102", Convert.ToHexString(result.Result.Span));

        RpcEnvelope error = RpcEnvelope.Parse(HexRuns.Parse("94 01 09 81 a16101 c0"));
        Assert.Equal((RpcKind.Response, 9u, true), (error.Kind, error.MsgId, error.Result.IsEmpty));
        Assert.Equal("81A16101", Convert.ToHexString(error.Error.Span));

        RpcEnvelope notification = RpcEnvelope.Parse(HexRuns.Parse("93 02 a178 91 07"));
        Assert.Equal((RpcKind.Notification, "x"), (notification.Kind, notification.Method));
        Assert.Equal("9107", Convert.ToHexString(notification.Params.Span));
    }

    [Theory]
    [InlineData("c0", "a message is an array")]
    [InlineData("80", "a message is an array")]
    [InlineData("a3616263", "a message is an array")]
    [InlineData("90", "a message begins with its type, 0, 1 or 2")]
    [InlineData("91 a130", "a message begins with its type, 0, 1 or 2")]
    [InlineData("94 ca00000000 05 a16d 90", "a message begins with its type, 0, 1 or 2")]
    [InlineData("94 cf8000000000000000 05 a16d 90", "a message begins with its type, 0, 1 or 2")]
    [InlineData("94 03 05 a16d 90", "a message's type is 0, 1 or 2, not 3")]
    [InlineData("94 ff 05 a16d 90", "a message's type is 0, 1 or 2, not -1")]
    [InlineData("91 00", "a request has 4 elements, [0, msgid, method, params], not 1")]
    [InlineData("95 00 05 a16d 90 90", "a request has 4 elements, [0, msgid, method, params], not 5")]
    [InlineData("93 01 05 90", "a response has 4 elements, [1, msgid, error, result], not 3")]
    [InlineData("94 02 a16d 90 90", "a notification has 3 elements, [2, method, params], not 4")]
    [InlineData("94 00 ff a16d 90", "msgid is an integer, 0 .. 4294967295")]
    [InlineData("94 00 c0 a16d 90", "msgid is an integer, 0 .. 4294967295")]
    [InlineData("94 00 cf0000000100000000 a16d 90", "msgid is an integer, 0 .. 4294967295")]
    [InlineData("94 00 cfffffffffffffffff a16d 90", "msgid is an integer, 0 .. 4294967295")]
    [InlineData("94 01 a131 c0 90", "msgid is an integer, 0 .. 4294967295")]
    [InlineData("94 00 05 06 90", "method is a string")]
    [InlineData("94 00 05 c0 90", "method is a string")]
    [InlineData("93 02 91a16d 90", "method is a string")]
    [InlineData("94 00 05 a16d 80", "params is an array")]
    [InlineData("93 02 a16d c0", "params is an array")]
    [InlineData("94 01 05 c0 c0", "exactly one of error and result is nil")]
    [InlineData("94 01 05 80 80", "exactly one of error and result is nil")]
    public void An_invalid_message_gets_an_error_that_says_why(string hex, string problem)
    {
        RpcEnvelope envelope = RpcEnvelope.Parse(HexRuns.Parse(hex));
        Assert.Equal((RpcKind.Invalid, $"Not an RPC message: {problem}."), (envelope.Kind, envelope.Problem));
        Assert.Equal((0u, ""), (envelope.MsgId, envelope.Method));
    }

    [Fact]
    public void The_writer_uses_the_shortest_encoding_and_the_reader_reads_it()
    {
        Assert.Equal("940005A36D61709105", Written(static (ref w) =>
        {
            RpcWriter.BeginRequest(ref w, 5, "map", 1);
            w.Write(5);
        }));
        Assert.Equal(
            "9400CEFFFFFFFFA57061757365DC0010", Written(static (ref w) => RpcWriter.BeginRequest(ref w, uint.MaxValue, "pause", 16)));
        Assert.Equal("940105C090", Written(static (ref w) =>
        {
            RpcWriter.BeginResult(ref w, 5);
            w.WriteArrayHeader(0);
        }));
        Assert.Equal(
            "94010583A4636F646500A46E616D65A0A76D657373616765A0C0",
            Written(static (ref w) => RpcWriter.WriteError(ref w, 5, new RelayError(0, "", ""))));
        Assert.Equal("9302A56572726F7290", Written(static (ref w) => RpcWriter.BeginNotification(ref w, "error", 0)));
    }

    private static string Written(Write write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        writer.Flush();
        return Convert.ToHexString(output.WrittenSpan);
    }
}
