using System.Diagnostics.CodeAnalysis;
using System.Text;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// The protocol's rule that any valid encoding of a value is accepted, where <see cref="MessagePackReader"/> is stricter or throws.
/// They use the reader's public members alone, and like it run on one thread.
/// </summary>
internal static class MessagePackReaderExtensions
{
    /// <summary>Reads text that was sent as a string or as a bin object, as writers from before the string type do.</summary>
    /// <param name="reader">The reader.</param>
    /// <returns>The text, or null for nil. What is not UTF-8 is U+FFFD.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    /// <exception cref="MessagePackSerializationException">Another type is next.</exception>
    internal static string? ReadText(this ref MessagePackReader reader) =>
        reader.NextMessagePackType != MessagePackType.Binary ? reader.ReadString()
        : reader.ReadBytes() is { } utf8 ? Encoding.UTF8.GetString(utf8)
        : null;

    /// <summary>Reads text that was sent as a string or as a bin object, and nothing if another type is next, be it nil.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="text">The text. What is not UTF-8 is U+FFFD.</param>
    /// <returns>Whether it was text.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    internal static bool TryReadText(this ref MessagePackReader reader, [NotNullWhen(true)] out string? text)
    {
        text = reader.NextMessagePackType is MessagePackType.String or MessagePackType.Binary ? reader.ReadText() : null;
        return text is not null;
    }

    /// <summary>Reads an integer of any encoding, and nothing if another type is next or it is 2^63 or more.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="value">The integer.</param>
    /// <returns>Whether it was one.</returns>
    /// <exception cref="EndOfStreamException">The object is not complete.</exception>
    internal static bool TryReadInteger(this ref MessagePackReader reader, out long value)
    {
        MessagePackReader ahead = reader.CreatePeekReader();
        bool fits = reader.NextMessagePackType == MessagePackType.Integer
            && (reader.NextCode != MessagePackCode.UInt64 || ahead.ReadUInt64() <= long.MaxValue);
        value = fits ? reader.ReadInt64() : 0;
        return fits;
    }
}
