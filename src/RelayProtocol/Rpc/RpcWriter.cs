using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// Writes what surrounds params, error and result in a message; the caller writes those itself, which completes the message. Stateless.
/// </summary>
/// <remarks>Wire format: MessagePack-RPC, https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md.</remarks>
internal static class RpcWriter
{
    /// <summary>Writes <c>[0, msgid, method, [</c>.</summary>
    internal static void BeginRequest(ref MessagePackWriter writer, uint msgId, string method, int paramCount)
    {
        writer.WriteArrayHeader(4);
        writer.Write(0);
        writer.Write(msgId);
        writer.Write(method);
        writer.WriteArrayHeader(paramCount);
    }

    /// <summary>Writes <c>[2, method, [</c>.</summary>
    internal static void BeginNotification(ref MessagePackWriter writer, string method, int paramCount)
    {
        writer.WriteArrayHeader(3);
        writer.Write(2);
        writer.Write(method);
        writer.WriteArrayHeader(paramCount);
    }

    /// <summary>Writes <c>[1, msgid, nil,</c>; the result must not be nil.</summary>
    internal static void BeginResult(ref MessagePackWriter writer, uint msgId)
    {
        writer.WriteArrayHeader(4);
        writer.Write(1);
        writer.Write(msgId);
        writer.WriteNil();
    }

    /// <summary>Writes <c>[1, msgid, error, nil]</c>, a whole message.</summary>
    internal static void WriteError(ref MessagePackWriter writer, uint msgId, RelayError error)
    {
        writer.WriteArrayHeader(4);
        writer.Write(1);
        writer.Write(msgId);
        WireFormat.WriteError(ref writer, error);
        writer.WriteNil();
    }
}
