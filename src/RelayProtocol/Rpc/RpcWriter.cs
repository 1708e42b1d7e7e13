using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// Writes what surrounds params, error and result in a message; the caller writes those themselves. Stateless, so any thread may
/// use it.
/// </summary>
/// <remarks>Wire format: MessagePack-RPC, https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md.</remarks>
internal static class RpcWriter
{
    /// <summary>Writes <c>[0, msgid, method, [</c>; the caller writes so many params next, which completes the message.</summary>
    /// <param name="writer">Where to write.</param>
    /// <param name="msgId">The id that the response will carry.</param>
    /// <param name="method">The method.</param>
    /// <param name="paramCount">How many params follow, at least 0.</param>
    internal static void BeginRequest(ref MessagePackWriter writer, uint msgId, string method, int paramCount)
    {
        writer.WriteArrayHeader(4);
        writer.Write(0);
        writer.Write(msgId);
        writer.Write(method);
        writer.WriteArrayHeader(paramCount);
    }

    /// <summary>Writes <c>[2, method, [</c>; the caller writes so many params next, which completes the message.</summary>
    /// <param name="writer">Where to write.</param>
    /// <param name="method">The method.</param>
    /// <param name="paramCount">How many params follow, at least 0.</param>
    internal static void BeginNotification(ref MessagePackWriter writer, string method, int paramCount)
    {
        writer.WriteArrayHeader(3);
        writer.Write(2);
        writer.Write(method);
        writer.WriteArrayHeader(paramCount);
    }

    /// <summary>Writes <c>[1, msgid, nil,</c>; the caller writes the result next, other than nil, which completes it.</summary>
    /// <param name="writer">Where to write.</param>
    /// <param name="msgId">The request's id.</param>
    internal static void BeginResult(ref MessagePackWriter writer, uint msgId)
    {
        BeginResponse(ref writer, msgId);
        writer.WriteNil();
    }

    /// <summary>Writes <c>[1, msgid,</c>; the caller writes the error next, other than nil, then <see cref="EndError"/>.</summary>
    /// <param name="writer">Where to write.</param>
    /// <param name="msgId">The request's id.</param>
    internal static void BeginError(ref MessagePackWriter writer, uint msgId) => BeginResponse(ref writer, msgId);

    /// <summary>Writes the <c>nil]</c> that completes a message begun with <see cref="BeginError"/>.</summary>
    /// <param name="writer">Where to write.</param>
    internal static void EndError(ref MessagePackWriter writer) => writer.WriteNil();

    private static void BeginResponse(ref MessagePackWriter writer, uint msgId)
    {
        writer.WriteArrayHeader(4);
        writer.Write(1);
        writer.Write(msgId);
    }
}
