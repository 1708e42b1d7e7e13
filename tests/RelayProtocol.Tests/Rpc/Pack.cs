using System.Buffers.Binary;
using System.Text;

namespace RelayProtocol.Tests.Rpc;

/// <summary>A second MessagePack writer, so that the library is not checked against itself.</summary>
internal static class Pack
{
    public static byte[] Of(object? value) => value switch
    {
        null => [0xc0],
        bool b => [b ? (byte)0xc3 : (byte)0xc2],
        byte[] raw => raw,
        int and >= 0 and < 128 => [(byte)(int)value],
        int number => Int32(number),
        long number => Int64(number),
        string text => Str(text),
        object?[] items => Array(items),
        Dictionary<string, object?> map => Map([.. map.Select(p => (p.Key, p.Value))]),
        _ => throw new ArgumentException($"cannot pack {value.GetType()}"),
    };

    public static byte[] Array(params object?[] items) => [0xdc, (byte)(items.Length >> 8), (byte)items.Length, .. items.SelectMany(Of)];

    public static byte[] Map(params (string Key, object? Value)[] items) =>
        [0xde, (byte)(items.Length >> 8), (byte)items.Length, .. items.SelectMany(i => (byte[])[.. Str(i.Key), .. Of(i.Value)])];

    public static byte[] Str(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return [0xda, (byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8];
    }

    public static byte[] Bin(string text) => [0xc4, (byte)Encoding.UTF8.GetByteCount(text), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Int32(int number)
    {
        byte[] bytes = [0xd2, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), number);
        return bytes;
    }

    public static byte[] Int64(long number)
    {
        byte[] bytes = [0xd3, .. new byte[8]];
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), number);
        return bytes;
    }

    public static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
