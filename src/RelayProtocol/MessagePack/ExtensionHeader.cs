namespace RelayProtocol.MessagePack;

/// <summary>What precedes the bytes of an extension object. Immutable.</summary>
/// <param name="TypeCode">The extension's type: 0 .. 127 belong to applications, -128 .. -1 to the specification.</param>
/// <param name="Length">How many bytes follow, the type code not counted.</param>
/// <remarks>Source: "ext format family" in the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public readonly record struct ExtensionHeader(sbyte TypeCode, uint Length)
{
    /// <summary>Makes a header from a signed length.</summary>
    /// <param name="typeCode">The extension's type.</param>
    /// <param name="length">How many bytes follow, at least 0.</param>
    /// <exception cref="OverflowException"><paramref name="length"/> is negative.</exception>
    public ExtensionHeader(sbyte typeCode, int length)
        : this(typeCode, checked((uint)length))
    {
    }
}
