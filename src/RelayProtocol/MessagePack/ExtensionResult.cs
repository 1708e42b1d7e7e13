using System.Buffers;

namespace RelayProtocol.MessagePack;

/// <summary>An extension object: a type code and bytes, which are a view and not a copy. Immutable.</summary>
/// <param name="TypeCode">The extension's type: 0 .. 127 belong to applications, -128 .. -1 to the specification.</param>
/// <param name="Data">The bytes; valid as long as the buffer they were read from.</param>
/// <remarks>Source: "ext format family" in the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public readonly record struct ExtensionResult(sbyte TypeCode, ReadOnlySequence<byte> Data)
{
    /// <summary>Makes an extension object of contiguous bytes.</summary>
    /// <param name="typeCode">The extension's type.</param>
    /// <param name="data">The bytes, not copied.</param>
    public ExtensionResult(sbyte typeCode, Memory<byte> data)
        : this(typeCode, new ReadOnlySequence<byte>(data))
    {
    }

    /// <summary>The header that goes before <see cref="Data"/> on the wire.</summary>
    /// <exception cref="OverflowException">There are more than 2^32-1 bytes.</exception>
    public ExtensionHeader Header => new(TypeCode, checked((uint)Data.Length));
}
