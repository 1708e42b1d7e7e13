namespace RelayProtocol.MessagePack;

/// <summary>The first bytes of MessagePack objects. Immutable, so any thread may use it.</summary>
/// <remarks>Source: the "Formats" table of the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md.</remarks>
public static class MessagePackCode
{
    /// <summary>0x00, the integer 0: the lowest of the positive fixints, which are their own value.</summary>
    public const byte MinFixInt = 0x00;

    /// <summary>0x7f, the integer 127: the highest of the positive fixints.</summary>
    public const byte MaxFixInt = 0x7f;

    /// <summary>0x80, a map of no pairs: the lowest of the fixmaps, whose low four bits count the pairs.</summary>
    public const byte MinFixMap = 0x80;

    /// <summary>0x8f, a map of 15 pairs.</summary>
    public const byte MaxFixMap = 0x8f;

    /// <summary>0x90, an empty array: the lowest of the fixarrays, whose low four bits count the elements.</summary>
    public const byte MinFixArray = 0x90;

    /// <summary>0x9f, an array of 15 elements.</summary>
    public const byte MaxFixArray = 0x9f;

    /// <summary>0xa0, an empty string: the lowest of the fixstrs, whose low five bits count the bytes.</summary>
    public const byte MinFixStr = 0xa0;

    /// <summary>0xbf, a string of 31 bytes.</summary>
    public const byte MaxFixStr = 0xbf;

    /// <summary>0xc0, nil.</summary>
    public const byte Nil = 0xc0;

    /// <summary>0xc1, which no object begins with.</summary>
    public const byte NeverUsed = 0xc1;

    /// <summary>0xc2, false.</summary>
    public const byte False = 0xc2;

    /// <summary>0xc3, true.</summary>
    public const byte True = 0xc3;

    /// <summary>0xc4, then a length of one byte, then so many bytes.</summary>
    public const byte Bin8 = 0xc4;

    /// <summary>0xc5, then a length of two bytes, then so many bytes.</summary>
    public const byte Bin16 = 0xc5;

    /// <summary>0xc6, then a length of four bytes, then so many bytes.</summary>
    public const byte Bin32 = 0xc6;

    /// <summary>0xc7, then a length of one byte, a type code, and so many bytes.</summary>
    public const byte Ext8 = 0xc7;

    /// <summary>0xc8, then a length of two bytes, a type code, and so many bytes.</summary>
    public const byte Ext16 = 0xc8;

    /// <summary>0xc9, then a length of four bytes, a type code, and so many bytes.</summary>
    public const byte Ext32 = 0xc9;

    /// <summary>0xca, then four bytes of IEEE 754 binary32, big-endian.</summary>
    public const byte Float32 = 0xca;

    /// <summary>0xcb, then eight bytes of IEEE 754 binary64, big-endian.</summary>
    public const byte Float64 = 0xcb;

    /// <summary>0xcc, then an unsigned integer of one byte.</summary>
    public const byte UInt8 = 0xcc;

    /// <summary>0xcd, then an unsigned integer of two bytes, big-endian.</summary>
    public const byte UInt16 = 0xcd;

    /// <summary>0xce, then an unsigned integer of four bytes, big-endian.</summary>
    public const byte UInt32 = 0xce;

    /// <summary>0xcf, then an unsigned integer of eight bytes, big-endian.</summary>
    public const byte UInt64 = 0xcf;

    /// <summary>0xd0, then a two's complement integer of one byte.</summary>
    public const byte Int8 = 0xd0;

    /// <summary>0xd1, then a two's complement integer of two bytes, big-endian.</summary>
    public const byte Int16 = 0xd1;

    /// <summary>0xd2, then a two's complement integer of four bytes, big-endian.</summary>
    public const byte Int32 = 0xd2;

    /// <summary>0xd3, then a two's complement integer of eight bytes, big-endian.</summary>
    public const byte Int64 = 0xd3;

    /// <summary>0xd4, then a type code and 1 byte.</summary>
    public const byte FixExt1 = 0xd4;

    /// <summary>0xd5, then a type code and 2 bytes.</summary>
    public const byte FixExt2 = 0xd5;

    /// <summary>0xd6, then a type code and 4 bytes.</summary>
    public const byte FixExt4 = 0xd6;

    /// <summary>0xd7, then a type code and 8 bytes.</summary>
    public const byte FixExt8 = 0xd7;

    /// <summary>0xd8, then a type code and 16 bytes.</summary>
    public const byte FixExt16 = 0xd8;

    /// <summary>0xd9, then a length of one byte, then so many bytes of UTF-8.</summary>
    public const byte Str8 = 0xd9;

    /// <summary>0xda, then a length of two bytes, then so many bytes of UTF-8.</summary>
    public const byte Str16 = 0xda;

    /// <summary>0xdb, then a length of four bytes, then so many bytes of UTF-8.</summary>
    public const byte Str32 = 0xdb;

    /// <summary>0xdc, then a count of two bytes, then so many objects.</summary>
    public const byte Array16 = 0xdc;

    /// <summary>0xdd, then a count of four bytes, then so many objects.</summary>
    public const byte Array32 = 0xdd;

    /// <summary>0xde, then a count of two bytes, then so many pairs of objects.</summary>
    public const byte Map16 = 0xde;

    /// <summary>0xdf, then a count of four bytes, then so many pairs of objects.</summary>
    public const byte Map32 = 0xdf;

    /// <summary>0xe0, the integer -32: the lowest of the negative fixints, which are their own value as a signed byte.</summary>
    public const byte MinNegativeFixInt = 0xe0;

    /// <summary>0xff, the integer -1.</summary>
    public const byte MaxNegativeFixInt = 0xff;

    /// <summary>Tells which type an object has that begins with a byte.</summary>
    /// <param name="code">Any byte.</param>
    /// <returns>The type; <see cref="MessagePackType.Unknown"/> for <see cref="NeverUsed"/> alone.</returns>
    public static MessagePackType ToMessagePackType(byte code) => code switch
    {
        <= MaxFixInt or >= MinNegativeFixInt or (>= UInt8 and <= Int64) => MessagePackType.Integer,
        <= MaxFixMap or Map16 or Map32 => MessagePackType.Map,
        <= MaxFixArray or Array16 or Array32 => MessagePackType.Array,
        <= MaxFixStr or (>= Str8 and <= Str32) => MessagePackType.String,
        Nil => MessagePackType.Nil,
        False or True => MessagePackType.Boolean,
        >= Bin8 and <= Bin32 => MessagePackType.Binary,
        (>= Ext8 and <= Ext32) or (>= FixExt1 and <= FixExt16) => MessagePackType.Extension,
        Float32 or Float64 => MessagePackType.Float,
        _ => MessagePackType.Unknown,
    };

    /// <summary>Names a format as the specification does, for messages.</summary>
    /// <param name="code">Any byte.</param>
    /// <returns>The format's name, as in <c>fixmap</c> or <c>uint 16</c>; <c>(never used)</c> for <see cref="NeverUsed"/>.</returns>
    public static string ToFormatName(byte code) => code switch
    {
        <= MaxFixInt => "positive fixint",
        <= MaxFixMap => "fixmap",
        <= MaxFixArray => "fixarray",
        <= MaxFixStr => "fixstr",
        Nil => "nil",
        False => "false",
        True => "true",
        Bin8 => "bin 8",
        Bin16 => "bin 16",
        Bin32 => "bin 32",
        Ext8 => "ext 8",
        Ext16 => "ext 16",
        Ext32 => "ext 32",
        Float32 => "float 32",
        Float64 => "float 64",
        UInt8 => "uint 8",
        UInt16 => "uint 16",
        UInt32 => "uint 32",
        UInt64 => "uint 64",
        Int8 => "int 8",
        Int16 => "int 16",
        Int32 => "int 32",
        Int64 => "int 64",
        FixExt1 => "fixext 1",
        FixExt2 => "fixext 2",
        FixExt4 => "fixext 4",
        FixExt8 => "fixext 8",
        FixExt16 => "fixext 16",
        Str8 => "str 8",
        Str16 => "str 16",
        Str32 => "str 32",
        Array16 => "array 16",
        Array32 => "array 32",
        Map16 => "map 16",
        Map32 => "map 32",
        >= MinNegativeFixInt => "negative fixint",
        _ => "(never used)",
    };
}
