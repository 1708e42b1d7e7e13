using System.Buffers.Binary;
using System.Text;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Writes MessagePack by its specification, always in the shortest form; shares no code with the product.</summary>
internal sealed class MsgEncoder
{
    private readonly List<byte> _bytes = [];

    public static byte[] Encode(params object?[] values)
    {
        var encoder = new MsgEncoder();
        foreach (var value in values)
            encoder.Write(value);

        return [.. encoder._bytes];
    }

    private void Write(object? value)
    {
        switch (value)
        {
            case null: _bytes.Add(0xc0); break;
            case bool flag: _bytes.Add(flag ? (byte)0xc3 : (byte)0xc2); break;
            case int number: WriteSigned(number); break;
            case uint number: WriteUnsigned(number); break;
            case long number: WriteSigned(number); break;
            case ulong number: WriteUnsigned(number); break;
            case double number: Head(0xcb, 8, (ulong)BitConverter.DoubleToInt64Bits(number)); break;
            case string text: WriteText(text); break;
            case byte[] binary: WriteBinary(binary); break;
            case MsgRaw raw: _bytes.AddRange(raw.Bytes); break;
            case MsgMap map: WriteMap(map); break;
            case IEnumerable<object?> list: WriteArray([.. list]); break;
            default: throw new NotSupportedException(value.GetType().Name);
        }
    }

    private void WriteSigned(long value)
    {
        switch (value)
        {
            case >= 0: WriteUnsigned((ulong)value); break;
            case >= -32: _bytes.Add((byte)value); break;
            case >= sbyte.MinValue: Head(0xd0, 1, (ulong)value); break;
            case >= short.MinValue: Head(0xd1, 2, (ulong)value); break;
            case >= int.MinValue: Head(0xd2, 4, (ulong)value); break;
            default: Head(0xd3, 8, (ulong)value); break;
        }
    }

    private void WriteUnsigned(ulong value)
    {
        switch (value)
        {
            case <= 0x7f: _bytes.Add((byte)value); break;
            case <= byte.MaxValue: Head(0xcc, 1, value); break;
            case <= ushort.MaxValue: Head(0xcd, 2, value); break;
            case <= uint.MaxValue: Head(0xce, 4, value); break;
            default: Head(0xcf, 8, value); break;
        }
    }

    private void WriteText(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        switch (utf8.Length)
        {
            case <= 31: _bytes.Add((byte)(0xa0 | utf8.Length)); break;
            case <= byte.MaxValue: Head(0xd9, 1, (ulong)utf8.Length); break;
            case <= ushort.MaxValue: Head(0xda, 2, (ulong)utf8.Length); break;
            default: Head(0xdb, 4, (ulong)utf8.Length); break;
        }

        _bytes.AddRange(utf8);
    }

    private void WriteBinary(byte[] binary)
    {
        switch (binary.Length)
        {
            case <= byte.MaxValue: Head(0xc4, 1, (ulong)binary.Length); break;
            case <= ushort.MaxValue: Head(0xc5, 2, (ulong)binary.Length); break;
            default: Head(0xc6, 4, (ulong)binary.Length); break;
        }

        _bytes.AddRange(binary);
    }

    private void WriteArray(object?[] items)
    {
        switch (items.Length)
        {
            case <= 15: _bytes.Add((byte)(0x90 | items.Length)); break;
            case <= ushort.MaxValue: Head(0xdc, 2, (ulong)items.Length); break;
            default: Head(0xdd, 4, (ulong)items.Length); break;
        }

        Array.ForEach(items, Write);
    }

    private void WriteMap(MsgMap map)
    {
        switch (map.Count)
        {
            case <= 15: _bytes.Add((byte)(0x80 | map.Count)); break;
            case <= ushort.MaxValue: Head(0xde, 2, (ulong)map.Count); break;
            default: Head(0xdf, 4, (ulong)map.Count); break;
        }

        foreach (var (key, value) in map)
        {
            WriteText(key);
            Write(value);
        }
    }

    private void Head(byte code, int width, ulong value)
    {
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(wide, value);
        _bytes.Add(code);
        _bytes.AddRange(wide[^width..]);
    }
}
