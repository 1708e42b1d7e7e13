namespace RelayProtocol.MessagePack;

/// <summary>Extension type codes that the MessagePack specification has given a meaning. Immutable.</summary>
/// <remarks>Source: "Extension types" in the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public static class ReservedMessagePackExtensionTypeCode
{
    /// <summary>The timestamp extension, -1: 4, 8 or 12 bytes.</summary>
    public const sbyte DateTime = -1;
}
