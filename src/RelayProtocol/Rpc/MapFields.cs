using System.Buffers;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// The values of one MessagePack map by key, decoded strictly: what is missing, of the wrong type or out of range throws a <see cref="RelayException"/> with
/// <see cref="RelayErrorCode.InvalidParams"/> and a message that begins with the key. One thread.
/// </summary>
/// <remarks>
/// A nil value counts as absent. A key that is asked for and is there twice is refused. Keys that nobody asks for are ignored, whatever they are, so that the
/// protocol can grow.
/// </remarks>
internal sealed class MapFields
{
    // No bytes: the key is there more than once.
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _values = new(StringComparer.Ordinal);

    /// <summary>Reads a map; <paramref name="what"/> names it in the error if it is none.</summary>
    internal static MapFields Read(ref MessagePackReader reader, string what)
    {
        if (reader.NextMessagePackType != MessagePackType.Map)
            throw Invalid(what, "is not a map");
        var fields = new MapFields();
        for (int count = reader.ReadMapHeader(); count > 0; count--)
        {
            if (!reader.TryReadText(out string? key))
            {
                reader.Skip();
                reader.Skip();
                continue;
            }
            byte[] value = reader.ReadRaw().ToArray();
            if (!fields._values.TryAdd(key, value))
                fields._values[key] = default;
        }
        return fields;
    }

    internal bool Has(string key) => _values.ContainsKey(key);

    /// <summary>An integer within a range, or null if it is absent.</summary>
    internal long? Integer(string key, long least, long most)
    {
        if (!TryFind(key, out MessagePackReader reader))
            return null;
        if (reader.NextMessagePackType != MessagePackType.Integer)
            throw Invalid(key, "is not an integer");
        MessagePackReader again = reader.CreatePeekReader();
        return !reader.TryReadInteger(out long value) ? throw Invalid(key, $"{again.ReadUInt64()} is out of range {least}..{most}")
            : value < least || value > most ? throw Invalid(key, $"{value} is out of range {least}..{most}")
            : value;
    }

    internal long RequiredInteger(string key, long least, long most) => Integer(key, least, most) ?? throw Invalid(key, "is missing");

    /// <summary>A boolean, false if it is absent.</summary>
    internal bool Boolean(string key) =>
        TryFind(key, out MessagePackReader reader)
        && (reader.NextMessagePackType == MessagePackType.Boolean ? reader.ReadBoolean() : throw Invalid(key, "is not a boolean"));

    /// <summary>A text, or null if it is absent.</summary>
    internal string? Text(string key) =>
        !TryFind(key, out MessagePackReader reader) ? null
        : reader.TryReadText(out string? text) ? text
        : throw Invalid(key, "is not a string");

    internal string RequiredText(string key) => Text(key) ?? throw Invalid(key, "is missing");

    /// <summary>An instant, in milliseconds of Unix time; its beginning if it is absent, as from a relay that does not tell.</summary>
    internal DateTimeOffset Time(string key) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Integer(key, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) ?? 0);

    /// <summary>A value that is read by <paramref name="read"/>, or null if it is absent.</summary>
    internal T? Object<T>(string key, WireFormat.Reader<T> read)
        where T : class => TryFind(key, out MessagePackReader reader) ? read(ref reader) : null;

    internal T RequiredObject<T>(string key, WireFormat.Reader<T> read)
        where T : class => Object(key, read) ?? throw Invalid(key, "is missing");

    /// <summary>An array whose items are read by <paramref name="read"/>.</summary>
    internal T[] Array<T>(string key, WireFormat.Reader<T> read) =>
        !TryFind(key, out MessagePackReader reader) ? throw Invalid(key, "is missing")
        : reader.NextMessagePackType == MessagePackType.Array ? reader.ReadArray(read)
        : throw Invalid(key, "is not an array");

    /// <summary>An array of texts, or null if it is absent.</summary>
    internal IReadOnlyList<string>? Texts(string key)
    {
        if (!TryFind(key, out MessagePackReader reader))
            return null;
        if (reader.NextMessagePackType != MessagePackType.Array)
            throw Invalid(key, "is not an array");
        var texts = new string[reader.ReadArrayHeader()];
        for (int i = 0; i < texts.Length; i++)
            texts[i] = reader.TryReadText(out string? text) ? text : throw Invalid(key, "holds something that is not a string");
        return texts;
    }

    internal static RelayException Invalid(string key, string problem) => new(RelayErrorCode.InvalidParams, $"{key}: {problem}");

    private bool TryFind(string key, out MessagePackReader reader)
    {
        bool found = _values.TryGetValue(key, out ReadOnlyMemory<byte> value);
        if (found && value.IsEmpty)
            throw Invalid(key, "is there more than once");
        reader = new MessagePackReader(value);
        return found && !reader.IsNil;
    }
}
