using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>What the control channel writes as MessagePack, as a line of JSON with the same keys. Stateless; any thread.</summary>
internal static class JsonText
{
    // No web page will hold it: only what JSON itself demands is escaped.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string Of<T>(WireFormat.Writer<T> write, T value)
    {
        MessagePackReader reader = new(SetUp.Encode(write, value));
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text, Options))
            Append(ref reader, json);

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static void Append(ref MessagePackReader reader, Utf8JsonWriter json)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Map:
                json.WriteStartObject();
                for (int left = reader.ReadMapHeader(); left > 0; left--)
                {
                    json.WritePropertyName(reader.ReadString()!);
                    Append(ref reader, json);
                }

                json.WriteEndObject();
                break;
            case MessagePackType.Array:
                json.WriteStartArray();
                for (int left = reader.ReadArrayHeader(); left > 0; left--)
                    Append(ref reader, json);

                json.WriteEndArray();
                break;
            case MessagePackType.String:
                json.WriteStringValue(reader.ReadString());
                break;
            case MessagePackType.Boolean:
                json.WriteBooleanValue(reader.ReadBoolean());
                break;
            case MessagePackType.Float:
                json.WriteNumberValue(reader.ReadDouble());
                break;
            case MessagePackType.Integer:
                json.WriteNumberValue(reader.ReadInt64());
                break;
            default:
                reader.ReadNil();
                json.WriteNullValue();
                break;
        }
    }
}
