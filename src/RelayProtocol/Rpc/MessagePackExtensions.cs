using System.Diagnostics.CodeAnalysis;
using System.Text;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>The protocol's rule that any valid encoding of a value is accepted, where the package's reader is stricter or throws; and the entries of maps.</summary>
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

    /// <summary>Writes a key and its value; null is nil.</summary>
    internal static void WriteField(this ref MessagePackWriter writer, string key, string? value)
    {
        writer.Write(key);
        writer.Write(value);
    }

    internal static void WriteField(this ref MessagePackWriter writer, string key, long value)
    {
        writer.Write(key);
        writer.Write(value);
    }

    internal static void WriteField(this ref MessagePackWriter writer, string key, long? value) =>
        writer.WriteField(key, value, (ref writer, known) => writer.Write(known!.Value));

    internal static void WriteField(this ref MessagePackWriter writer, string key, bool value)
    {
        writer.Write(key);
        writer.Write(value);
    }

    /// <summary>Writes a key and a value of several parts; null is nil.</summary>
    internal static void WriteField<T>(this ref MessagePackWriter writer, string key, T? value, WireFormat.Writer<T> write)
    {
        writer.Write(key);
        if (value is null)
            writer.WriteNil();
        else
            write(ref writer, value);
    }

    internal static void WriteArray<T>(this ref MessagePackWriter writer, string key, IReadOnlyList<T> items, WireFormat.Writer<T> write)
    {
        writer.Write(key);
        writer.WriteArray(items, write);
    }

    internal static void WriteArray<T>(this ref MessagePackWriter writer, IReadOnlyList<T> items, WireFormat.Writer<T> write)
    {
        writer.WriteArrayHeader(items.Count);
        foreach (T item in items)
            write(ref writer, item);
    }

    internal static void WriteTexts(this ref MessagePackWriter writer, string key, IReadOnlyList<string> texts) =>
        writer.WriteArray(key, texts, (ref writer, text) => writer.Write(text));

    internal static T[] ReadArray<T>(this ref MessagePackReader reader, WireFormat.Reader<T> read)
    {
        var items = new T[reader.ReadArrayHeader()];
        for (int i = 0; i < items.Length; i++)
            items[i] = read(ref reader);
        return items;
    }
}
