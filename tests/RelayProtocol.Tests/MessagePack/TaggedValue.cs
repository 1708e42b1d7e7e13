using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MessagePack;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>
/// MessagePack values as the JSON that values.txt explains, so that other implementations can be given them and asked for them.
/// Reading and writing go through the public members of reader and writer alone.
/// </summary>
internal static class TaggedValue
{
    public static byte[] Encode(JsonNode value)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        Write(ref writer, value);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes one object, which must be all there is.</summary>
    public static JsonNode Decode(in ReadOnlySequence<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        JsonNode value = Read(ref reader);
        return reader.End ? value : throw new MessagePackSerializationException("More bytes than one object.");
    }

    public static void Write(ref MessagePackWriter writer, JsonNode value)
    {
        string tag = (string)value[0]!;
        switch (tag)
        {
            case "nil":
                writer.WriteNil();
                break;
            case "bool":
                writer.Write((bool)value[1]!);
                break;
            case "int" when ((string)value[1]!)[0] == '-':
                writer.Write(long.Parse((string)value[1]!));
                break;
            case "int":
                writer.Write(ulong.Parse((string)value[1]!));
                break;
            case "f32":
                writer.Write(BitConverter.UInt32BitsToSingle(uint.Parse((string)value[1]!, NumberStyles.HexNumber)));
                break;
            case "f64":
                writer.Write(BitConverter.UInt64BitsToDouble(ulong.Parse((string)value[1]!, NumberStyles.HexNumber)));
                break;
            case "str":
                writer.Write(Encoding.UTF8.GetString(HexRuns.Parse((string)value[1]!)));
                break;
            case "bin":
                writer.Write(HexRuns.Parse((string)value[1]!));
                break;
            case "ext":
                writer.WriteExtensionFormat(new ExtensionResult((sbyte)value[1]!, HexRuns.Parse((string)value[2]!)));
                break;
            case "time":
                writer.Write(DateTime.UnixEpoch
                    .AddTicks((long.Parse((string)value[1]!) * TimeSpan.TicksPerSecond) + ((long)value[2]! / 100)));
                break;
            default:
                WriteContainer(ref writer, tag, value[1]!);
                break;
        }
    }

    public static JsonNode Read(ref MessagePackReader reader)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                reader.ReadNil();
                return new JsonArray("nil");
            case MessagePackType.Boolean:
                return new JsonArray("bool", reader.ReadBoolean());
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                return new JsonArray("int", reader.ReadUInt64().ToString());
            case MessagePackType.Integer:
                return new JsonArray("int", reader.ReadInt64().ToString());
            case MessagePackType.Float when reader.NextCode == MessagePackCode.Float32:
                return new JsonArray("f32", BitConverter.SingleToUInt32Bits(reader.ReadSingle()).ToString("x8"));
            case MessagePackType.Float:
                return new JsonArray("f64", BitConverter.DoubleToUInt64Bits(reader.ReadDouble()).ToString("x16"));
            case MessagePackType.String:
                return new JsonArray("str", HexRuns.Format(Encoding.UTF8.GetBytes(reader.ReadString()!)));
            case MessagePackType.Binary:
                return new JsonArray("bin", HexRuns.Format(reader.ReadBytes()!.Value.ToArray()));
            case MessagePackType.Extension:
                return ReadExtension(ref reader);
            case MessagePackType.Array:
                var items = new JsonArray();
                for (int count = reader.ReadArrayHeader(); count > 0; count--)
                {
                    items.Add(Read(ref reader));
                }

                return new JsonArray("array", items);
            case MessagePackType.Map:
                var pairs = new JsonArray();
                for (int count = reader.ReadMapHeader(); count > 0; count--)
                {
                    pairs.Add(new JsonArray(Read(ref reader), Read(ref reader)));
                }

                return new JsonArray("map", pairs);
            default:
                throw new MessagePackSerializationException("Not an object.");
        }
    }

    /// <summary>The value as <see cref="Decode"/> gives it: containers spelled out, bytes in the same runs, time to 100 ns.</summary>
    public static JsonNode Canonical(JsonNode value)
    {
        string tag = (string)value[0]!;
        return tag switch
        {
            "str" or "bin" => new JsonArray(tag, HexRuns.Format(HexRuns.Parse((string)value[1]!))),
            "ext" => new JsonArray(tag, (int)value[1]!, HexRuns.Format(HexRuns.Parse((string)value[2]!))),
            "time" => new JsonArray(tag, (string)value[1]!, (long)value[2]! / 100 * 100),
            "ones" => new JsonArray("array", new JsonArray([.. Enumerable.Range(0, (int)value[1]!).Select(_ => One())])),
            "onesmap" => new JsonArray(
                "map", new JsonArray([.. Enumerable.Range(0, (int)value[1]!).Select(_ => new JsonArray(One(), One()))])),
            "array" => new JsonArray(tag, new JsonArray([.. value[1]!.AsArray().Select(item => Canonical(item!))])),
            "map" => new JsonArray(tag, new JsonArray(
                [.. value[1]!.AsArray().Select(pair => new JsonArray(Canonical(pair![0]!), Canonical(pair[1]!)))])),
            _ => value.DeepClone(),
        };
    }

    private static JsonArray One() => new("int", "1");

    private static void WriteContainer(ref MessagePackWriter writer, string tag, JsonNode content)
    {
        if (tag is "ones" or "onesmap")
        {
            int ones = tag == "ones" ? (int)content : 2 * (int)content;
            if (tag == "ones")
            {
                writer.WriteArrayHeader((int)content);
            }
            else
            {
                writer.WriteMapHeader((int)content);
            }

            for (; ones > 0; ones--)
            {
                writer.Write(1);
            }

            return;
        }

        if (tag == "array")
        {
            writer.WriteArrayHeader(content.AsArray().Count);
        }
        else
        {
            writer.WriteMapHeader(content.AsArray().Count);
            content = new JsonArray([.. content.AsArray().SelectMany(pair => pair!.AsArray()).Select(item => item!.DeepClone())]);
        }

        foreach (JsonNode? item in content.AsArray())
        {
            Write(ref writer, item!);
        }
    }

    private static JsonArray ReadExtension(ref MessagePackReader reader)
    {
        ExtensionHeader header = reader.CreatePeekReader().ReadExtensionFormatHeader();
        if (header.TypeCode == ReservedMessagePackExtensionTypeCode.DateTime)
        {
            long ticks = (reader.ReadDateTime() - DateTime.UnixEpoch).Ticks;
            long seconds = (long)Math.Floor(ticks / (decimal)TimeSpan.TicksPerSecond);
            return new JsonArray("time", seconds.ToString(), (ticks - (seconds * TimeSpan.TicksPerSecond)) * 100);
        }

        ExtensionResult extension = reader.ReadExtensionFormat();
        return new JsonArray("ext", extension.TypeCode, HexRuns.Format(extension.Data.ToArray()));
    }
}
