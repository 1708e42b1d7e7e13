using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>What a message is, by the MessagePack-RPC specification; invalid: a MessagePack object that is not an RPC message.</summary>
internal enum RpcKind
{
    Invalid,
    Request,
    Response,
    Notification,
}

/// <summary>A message's parts, with params, error and result not decoded yet. Immutable; valid as long as the message's bytes.</summary>
/// <remarks>Wire format: MessagePack-RPC, https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md.</remarks>
/// <param name="Kind">What it is.</param>
/// <param name="MsgId">The id of a request or response.</param>
/// <param name="Method">The method of a request or notification, else empty. What was not UTF-8 is U+FFFD.</param>
/// <param name="Params">The params of a request or notification: one array.</param>
/// <param name="Error">The error of a response: one object, or no bytes if the call succeeded.</param>
/// <param name="Result">The result of a response: one object, or no bytes if the call failed.</param>
/// <param name="Problem">What is wrong with an <see cref="RpcKind.Invalid"/> message, for a person; else empty.</param>
internal readonly record struct RpcEnvelope(
    RpcKind Kind, uint MsgId = 0, string Method = "", ReadOnlyMemory<byte> Params = default, ReadOnlyMemory<byte> Error = default,
    ReadOnlyMemory<byte> Result = default, string Problem = "")
{
    /// <summary>Parses one whole object, as <see cref="RpcReader"/> returns it. One that is not an RPC message is <see cref="RpcKind.Invalid"/>, not an exception.</summary>
    internal static RpcEnvelope Parse(ReadOnlyMemory<byte> message)
    {
        var reader = new MessagePackReader(message);
        if (reader.NextMessagePackType != MessagePackType.Array)
            return Invalid("a message is an array");
        int count = reader.ReadArrayHeader();
        if (count == 0 || !reader.TryReadInteger(out long type))
            return Invalid("a message begins with its type, 0, 1 or 2");
        return (type, count) switch
        {
            (0, 4) => ParseCall(RpcKind.Request, ref reader, message),
            (0, _) => Invalid($"a request has 4 elements, [0, msgid, method, params], not {count}"),
            (1, 4) => ParseResponse(ref reader, message),
            (1, _) => Invalid($"a response has 4 elements, [1, msgid, error, result], not {count}"),
            (2, 3) => ParseCall(RpcKind.Notification, ref reader, message),
            (2, _) => Invalid($"a notification has 3 elements, [2, method, params], not {count}"),
            _ => Invalid($"a message's type is 0, 1 or 2, not {type}"),
        };
    }

    private static RpcEnvelope ParseCall(RpcKind kind, ref MessagePackReader reader, ReadOnlyMemory<byte> message)
    {
        uint msgId = 0;
        if (kind == RpcKind.Request && !TryReadMsgId(ref reader, out msgId))
            return Invalid("msgid is an integer, 0 .. 4294967295");
        if (!reader.TryReadText(out string? method))
            return Invalid("method is a string");
        return reader.NextMessagePackType == MessagePackType.Array
            ? new RpcEnvelope(kind, msgId, method, TakeObject(ref reader, message))
            : Invalid("params is an array");
    }

    private static RpcEnvelope ParseResponse(ref MessagePackReader reader, ReadOnlyMemory<byte> message)
    {
        if (!TryReadMsgId(ref reader, out uint msgId))
            return Invalid("msgid is an integer, 0 .. 4294967295");
        bool succeeded = reader.IsNil;
        ReadOnlyMemory<byte> error = TakeObject(ref reader, message);
        if (reader.IsNil == succeeded)
            return Invalid("exactly one of error and result is nil");
        ReadOnlyMemory<byte> result = TakeObject(ref reader, message);
        return succeeded ? new RpcEnvelope(RpcKind.Response, msgId, Result: result) : new RpcEnvelope(RpcKind.Response, msgId, Error: error);
    }

    private static bool TryReadMsgId(ref MessagePackReader reader, out uint msgId)
    {
        bool valid = reader.TryReadInteger(out long value) && value is >= 0 and <= uint.MaxValue;
        msgId = valid ? (uint)value : 0;
        return valid;
    }

    private static ReadOnlyMemory<byte> TakeObject(ref MessagePackReader reader, ReadOnlyMemory<byte> message)
    {
        int start = (int)reader.Consumed;
        reader.Skip();
        return message[start..(int)reader.Consumed];
    }

    private static RpcEnvelope Invalid(string problem) => new(RpcKind.Invalid, Problem: $"Not an RPC message: {problem}.");
}
