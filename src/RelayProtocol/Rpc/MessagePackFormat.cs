using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// How far an object reaches, told by its first byte and the big-endian number that may follow it. The one place that knows this,
/// so that the reader and the scanner cannot disagree. Stateless, so any thread may use it.
/// </summary>
internal static class MessagePackFormat
{
    /// <summary>The size of the number (a value, length or count) between the first byte and the rest: 0, 1, 2, 4 or 8 bytes.</summary>
    internal static int ArgumentSize(byte code) => code switch
    {
        MessagePackCode.UInt8 or MessagePackCode.Int8 or MessagePackCode.Str8 or MessagePackCode.Bin8 or MessagePackCode.Ext8 => 1,
        MessagePackCode.UInt16 or MessagePackCode.Int16 or MessagePackCode.Str16 or MessagePackCode.Bin16 or MessagePackCode.Ext16
            or MessagePackCode.Array16 or MessagePackCode.Map16 => 2,
        MessagePackCode.UInt32 or MessagePackCode.Int32 or MessagePackCode.Str32 or MessagePackCode.Bin32 or MessagePackCode.Ext32
            or MessagePackCode.Array32 or MessagePackCode.Map32 or MessagePackCode.Float32 => 4,
        MessagePackCode.UInt64 or MessagePackCode.Int64 or MessagePackCode.Float64 => 8,
        _ => 0,
    };

    /// <summary>The bytes of content that follow first byte and number: text, bytes, or an extension's type code and bytes.</summary>
    /// <param name="code">The first byte.</param>
    /// <param name="argument">The number, 0 if the format has none.</param>
    internal static long PayloadLength(byte code, ulong argument) => MessagePackCode.ToMessagePackType(code) switch
    {
        MessagePackType.String when code <= MessagePackCode.MaxFixStr => code - MessagePackCode.MinFixStr,
        MessagePackType.String or MessagePackType.Binary => (long)argument,
        MessagePackType.Extension when code >= MessagePackCode.FixExt1 => 1 + (1 << (code - MessagePackCode.FixExt1)),
        MessagePackType.Extension => 1 + (long)argument,
        _ => 0,
    };

    /// <summary>The elements of an array or pairs of a map; 0 for everything else.</summary>
    /// <param name="code">The first byte.</param>
    /// <param name="argument">The number, 0 if the format has none.</param>
    internal static uint Count(byte code, ulong argument) => MessagePackCode.ToMessagePackType(code) switch
    {
        MessagePackType.Array or MessagePackType.Map => ArgumentSize(code) == 0 ? code & 0x0fu : (uint)argument,
        _ => 0,
    };

    /// <summary>The objects that follow as parts of this one: an array's elements, a map's keys and values.</summary>
    /// <param name="code">The first byte.</param>
    /// <param name="argument">The number, 0 if the format has none.</param>
    internal static long ChildCount(byte code, ulong argument) =>
        MessagePackCode.ToMessagePackType(code) == MessagePackType.Map ? 2L * Count(code, argument) : Count(code, argument);
}
