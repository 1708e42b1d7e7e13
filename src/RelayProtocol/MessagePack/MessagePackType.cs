namespace RelayProtocol.MessagePack;

/// <summary>The type family of a MessagePack object, as its first byte tells it.</summary>
/// <remarks>Source: the "Formats" table of the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public enum MessagePackType : byte
{
    /// <summary>The byte 0xc1, which the specification never uses: the data is malformed.</summary>
    Unknown = 0,

    /// <summary>A signed or unsigned integer, -2^63 .. 2^64-1.</summary>
    Integer = 1,

    /// <summary>Nil.</summary>
    Nil = 2,

    /// <summary>True or false.</summary>
    Boolean = 3,

    /// <summary>An IEEE 754 number of 32 or 64 bits.</summary>
    Float = 4,

    /// <summary>UTF-8 text, 0 .. 2^32-1 bytes.</summary>
    String = 5,

    /// <summary>Bytes, 0 .. 2^32-1 of them.</summary>
    Binary = 6,

    /// <summary>A sequence of 0 .. 2^32-1 objects.</summary>
    Array = 7,

    /// <summary>A sequence of 0 .. 2^32-1 pairs of objects.</summary>
    Map = 8,

    /// <summary>Bytes with a type code, -128 .. 127; the negative ones are the specification's own.</summary>
    Extension = 9,
}
