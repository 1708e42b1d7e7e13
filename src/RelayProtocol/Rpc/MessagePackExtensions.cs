using System.Diagnostics.CodeAnalysis;
using System.Text;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>The protocol's rule that any valid encoding of a value is accepted, where the package's reader is stricter or throws; maps and arrays.</summary>
internal static class MessagePackExtensions
{
    /// <summary>Reads text that was sent as str or, as writers from before that type do, as bin; reads nothing if another type is next, be it nil. What is not UTF-8 is U+FFFD.</summary>
    internal static bool TryReadText(this ref MessagePackReader reader, [NotNullWhen(true)] out string? text)
    {
        text = reader.NextMessagePackType switch
        {
            MessagePackType.String => reader.ReadString(),
            MessagePackType.Binary => Encoding.UTF8.GetString(reader.ReadBytes()!.Value),
            _ => null,
        };
        return text is not null;
    }

    /// <summary>Reads an integer of any encoding; reads nothing if another type is next or it is 2^63 or more.</summary>
    internal static bool TryReadInteger(this ref MessagePackReader reader, out long value)
    {
        MessagePackReader ahead = reader.CreatePeekReader();
        bool fits = reader.NextMessagePackType == MessagePackType.Integer
            && (reader.NextCode != MessagePackCode.UInt64 || ahead.ReadUInt64() <= long.MaxValue);
        value = fits ? reader.ReadInt64() : 0;
        return fits;
    }

    /// <summary>Writes a map of those entries that are not left out.</summary>
    internal static void WriteMap(this ref MessagePackWriter writer, params ReadOnlySpan<Field> fields)
    {
        writer.WriteMapHeader(Field.Count(fields));
        Field.Write(ref writer, fields);
    }

    /// <summary>Writes a map that begins with what several have.</summary>
    internal static void WriteMapWith(this ref MessagePackWriter writer, in FieldBlock first, params ReadOnlySpan<Field> fields)
    {
        writer.WriteMapHeader(Field.Count(first) + Field.Count(fields));
        Field.Write(ref writer, first);
        Field.Write(ref writer, fields);
    }

    internal static void WriteArray<T>(this ref MessagePackWriter writer, IReadOnlyList<T> items, WireFormat.Writer<T> write)
    {
        writer.WriteArrayHeader(items.Count);
        foreach (T item in items)
            write(ref writer, item);
    }

    internal static T[] ReadArray<T>(this ref MessagePackReader reader, WireFormat.Reader<T> read)
    {
        var items = new T[reader.ReadArrayHeader()];
        for (int i = 0; i < items.Length; i++)
            items[i] = read(ref reader);
        return items;
    }
}
