using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>How far an object reaches, by its first byte and the big-endian number that may follow it: a value, a length or a count. Stateless.</summary>
internal static class MessagePackFormat
{
    /// <summary>The size of the number that follows the first byte: 0, 1, 2, 4 or 8 bytes.</summary>
    internal static int NumberSize(byte code) => code switch
    {
        MessagePackCode.UInt8 or MessagePackCode.Int8 or MessagePackCode.Str8 or MessagePackCode.Bin8 or MessagePackCode.Ext8 => 1,
        MessagePackCode.UInt16 or MessagePackCode.Int16 or MessagePackCode.Str16 or MessagePackCode.Bin16 or MessagePackCode.Ext16
            or MessagePackCode.Array16 or MessagePackCode.Map16 => 2,
        MessagePackCode.UInt32 or MessagePackCode.Int32 or MessagePackCode.Str32 or MessagePackCode.Bin32 or MessagePackCode.Ext32
            or MessagePackCode.Array32 or MessagePackCode.Map32 or MessagePackCode.Float32 => 4,
        MessagePackCode.UInt64 or MessagePackCode.Int64 or MessagePackCode.Float64 => 8,
        _ => 0,
    };

    /// <summary>The bytes that follow the number (0 if the format has none): text, bytes, or an extension's type code and bytes.</summary>
    internal static long PayloadLength(byte code, ulong number) => MessagePackCode.ToMessagePackType(code) switch
    {
        MessagePackType.String when code <= MessagePackCode.MaxFixStr => code - MessagePackCode.MinFixStr,
        MessagePackType.String or MessagePackType.Binary => (long)number,
        MessagePackType.Extension when code >= MessagePackCode.FixExt1 => 1 + (1 << (code - MessagePackCode.FixExt1)),
        MessagePackType.Extension => 1 + (long)number,
        _ => 0,
    };

    /// <summary>The objects that follow as parts of this one: an array's elements, a map's keys and values.</summary>
    internal static long ChildCount(byte code, ulong number)
    {
        long count = NumberSize(code) == 0 ? code & 0x0f : (long)number;
        return MessagePackCode.ToMessagePackType(code) switch
        {
            MessagePackType.Array => count,
            MessagePackType.Map => 2 * count,
            _ => 0,
        };
    }
}
