using System.Buffers.Binary;
using System.Text;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>
/// Reads MessagePack by its specification, and only the types that the relay may write: a float, a bin or an ext from it is a failure.
/// </summary>
internal ref struct MsgDecoder
{
    private ReadOnlySpan<byte> _rest;
    private bool _incomplete;

    private MsgDecoder(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Decodes one object from the start of <paramref name="bytes"/>; false when more bytes are needed.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out object? value, out int length)
    {
        var decoder = new MsgDecoder(bytes);
        value = decoder.Read();
        length = bytes.Length - decoder._rest.Length;
        return !decoder._incomplete;
    }

    private object? Read()
    {
        var code = Take(1) is [var first] ? first : (byte)0xc0;
        return code switch
        {
            <= 0x7f => (long)code,
            <= 0x8f => ReadMap((uint)(code & 0x0f)),
            <= 0x9f => ReadArray((uint)(code & 0x0f)),
            <= 0xbf => ReadText((uint)(code & 0x1f)),
            0xc0 => null,
            0xc2 => false,
            0xc3 => true,
            0xcc or 0xcd or 0xce or 0xcf => ReadUnsigned(1 << (code - 0xcc)) is var number && number <= long.MaxValue ? (long)number : number,
            0xd0 or 0xd1 or 0xd2 or 0xd3 => ReadSigned(1 << (code - 0xd0)),
            0xd9 or 0xda or 0xdb => ReadText((uint)ReadUnsigned(1 << (code - 0xd9))),
            0xdc or 0xdd => ReadArray((uint)ReadUnsigned(2 << (code - 0xdc))),
            0xde or 0xdf => ReadMap((uint)ReadUnsigned(2 << (code - 0xde))),
            >= 0xe0 => (long)(sbyte)code,
            _ => throw new InvalidDataException($"The relay wrote 0x{code:x2}, which the contract never uses."),
        };
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (_incomplete || count > (uint)_rest.Length)
        {
            _incomplete = true;
            return default;
        }

        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    private ulong ReadUnsigned(int width)
    {
        Span<byte> wide = stackalloc byte[8];
        Take((uint)width).CopyTo(wide[^width..]);
        return BinaryPrimitives.ReadUInt64BigEndian(wide);
    }

    private long ReadSigned(int width)
    {
        var unused = 64 - (8 * width);
        return (long)(ReadUnsigned(width) << unused) >> unused;
    }

    private string ReadText(uint length) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Take(length));

    private object?[] ReadArray(uint count)
    {
        var items = new List<object?>();
        for (var i = 0u; i < count && !_incomplete; i++)
            items.Add(Read());

        return [.. items];
    }

    private MsgMap ReadMap(uint count)
    {
        var map = new MsgMap();
        for (var i = 0u; i < count && !_incomplete; i++)
        {
            if (Read() is string key)
                map.Add(key, Read());
            else if (!_incomplete)
                throw new InvalidDataException("The relay wrote a map key that is not a string.");
        }

        return map;
    }
}
