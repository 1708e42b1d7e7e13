namespace RelayProtocol.Rpc;

/// <summary>What a message is, by the MessagePack-RPC specification.</summary>
internal enum RpcKind
{
    /// <summary>A MessagePack object that is not an RPC message.</summary>
    Invalid,

    /// <summary><c>[0, msgid, method, params]</c>.</summary>
    Request,

    /// <summary><c>[1, msgid, error, result]</c>.</summary>
    Response,

    /// <summary><c>[2, method, params]</c>.</summary>
    Notification,
}
