using System.Globalization;
using System.Text;
using MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>What the control channel writes as MessagePack, as a line of JSON with the same keys. Stateless; any thread.</summary>
internal static class JsonText
{
    internal static string Of<T>(WireFormat.Writer<T> write, T value)
    {
        MessagePackReader reader = new(SetUp.Encode(write, value));
        StringBuilder json = new();
        Append(ref reader, json);
        return json.ToString();
    }

    private static void Append(ref MessagePackReader reader, StringBuilder json)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Map:
                json.Append('{');
                for (int left = reader.ReadMapHeader(); left > 0; left--)
                {
                    Append(ref reader, json);
                    json.Append(':');
                    Append(ref reader, json);
                    json.Append(left > 1 ? "," : "");
                }

                json.Append('}');
                break;
            case MessagePackType.Array:
                json.Append('[');
                for (int left = reader.ReadArrayHeader(); left > 0; left--)
                {
                    Append(ref reader, json);
                    json.Append(left > 1 ? "," : "");
                }

                json.Append(']');
                break;
            case MessagePackType.String:
                AppendString(reader.ReadString()!, json);
                break;
            case MessagePackType.Boolean:
                json.Append(reader.ReadBoolean() ? "true" : "false");
                break;
            case MessagePackType.Float:
                json.Append(reader.ReadDouble().ToString(CultureInfo.InvariantCulture));
                break;
            case MessagePackType.Integer:
                json.Append(reader.ReadInt64().ToString(CultureInfo.InvariantCulture));
                break;
            default:
                reader.ReadNil();
                json.Append("null");
                break;
        }
    }

    private static void AppendString(string text, StringBuilder json)
    {
        json.Append('"');
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                json.Append('\\').Append(c);
            else if (char.IsControl(c))
                json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                json.Append(c);
        }

        json.Append('"');
    }
}
