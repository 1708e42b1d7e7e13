namespace RelayProtocol.Rpc;

/// <summary>Why a control stream cannot be read on.</summary>
internal enum RpcFormatError
{
    /// <summary>The bytes are not MessagePack.</summary>
    Malformed,

    /// <summary>A message is larger than the limit.</summary>
    TooLarge,

    /// <summary>A message nests arrays and maps deeper than the limit.</summary>
    TooDeep,

    /// <summary>The stream ended within a message.</summary>
    Truncated,
}
