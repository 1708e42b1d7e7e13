using System.Runtime.CompilerServices;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>An entry of a map to be written; the default is one that is left out. Immutable.</summary>
internal readonly struct Field
{
    private readonly string? _key;
    private readonly MessagePackType _type;
    private readonly long _integer;
    private readonly object? _value; // of other types: text, a ValueWriter, or null

    internal Field(string key, string? value) => (_key, _value) = (key, value);

    internal Field(string key, long? value) => (_key, _integer, _type) = (key, value ?? 0, value is null ? MessagePackType.Nil : MessagePackType.Integer);

    internal Field(string key, bool value) => (_key, _integer, _type) = (key, value ? 1 : 0, MessagePackType.Boolean);

    private Field(string key, ValueWriter? value) => (_key, _value) = (key, value);

    private delegate void ValueWriter(ref MessagePackWriter writer);

    /// <summary>A value of several parts; null is nil, as of every type.</summary>
    internal static Field Of<T>(string key, T? value, WireFormat.Writer<T> write) => value is null ? new(key, (string?)null) : OfKnown(key, value, write);

    internal static Field Array<T>(string key, IReadOnlyList<T> items, WireFormat.Writer<T> write) =>
        Of(key, items, (ref writer, all) => writer.WriteArray(all, write));

    internal static Field Texts(string key, IReadOnlyList<string> texts) => Array(key, texts, static (ref writer, text) => writer.Write(text));

    /// <summary>Left out unless the condition holds.</summary>
    internal Field If(bool condition) => condition ? this : default;

    internal static int Count(scoped ReadOnlySpan<Field> fields)
    {
        int count = 0;
        foreach (ref readonly Field field in fields)
            count += field._key is null ? 0 : 1;

        return count;
    }

    internal static void Write(ref MessagePackWriter writer, scoped ReadOnlySpan<Field> fields)
    {
        foreach (ref readonly Field field in fields)
        {
            if (field._key is not null)
                field.Write(ref writer);
        }
    }

    private static Field OfKnown<T>(string key, T value, WireFormat.Writer<T> write) => new(key, (ref writer) => write(ref writer, value));

    private void Write(ref MessagePackWriter writer)
    {
        writer.Write(_key);
        if (_type == MessagePackType.Integer)
            writer.Write(_integer);
        else if (_type == MessagePackType.Boolean)
            writer.Write(_integer != 0);
        else if (_value is ValueWriter write)
            write(ref writer);
        else
            writer.Write((string?)_value);
    }
}

/// <summary>A few fields that several maps have in common, without an array of their own.</summary>
[InlineArray(8)]
internal struct FieldBlock
{
    private Field _first;
}
