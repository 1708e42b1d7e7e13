using System.Text;
using System.Text.Json.Nodes;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Random values of every type in the JSON of values.txt, none of them beyond what other languages can hold.</summary>
internal static class RandomValue
{
    private static readonly int[] s_lengths = [0, 1, 5, 15, 16, 17, 31, 32, 33, 255, 256, 300];

    // Parsed, since a node that was made from an int will not be read as a long.
    public static JsonNode Next(Random random, int depth) => JsonNode.Parse(Make(random, depth).ToJsonString())!;

    private static JsonArray Make(Random random, int depth) => random.Next(depth > 0 ? 12 : 8) switch
    {
        0 => new JsonArray("nil"),
        1 => new JsonArray("bool", random.Next(2) == 0),
        2 => new JsonArray("int", ((ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64)).ToString()),
        3 => new JsonArray("int", (random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64)).ToString()),
        4 => Number((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-300, 300))),
        5 => Text(random),
        6 => new JsonArray("bin", HexRuns.Format(Bytes(random))),
        7 when random.Next(2) == 0 => new JsonArray("ext", random.Next(128), HexRuns.Format(Bytes(random))),
        7 => new JsonArray("time", random.NextInt64(-62_135_596_800, 253_402_300_800).ToString(), random.Next(10_000_000) * 100),
        8 or 9 => new JsonArray("array", new JsonArray([.. Enumerable.Range(0, Count(random)).Select(_ => Make(random, depth - 1))])),
        // Keys that differ: other languages' maps hold each once.
        _ => new JsonArray("map", new JsonArray([.. Enumerable.Range(0, Count(random)).Select(
            key => new JsonArray(new JsonArray("int", key.ToString()), Make(random, depth - 1)))])),
    };

    private static int Count(Random random) => random.Next(8) == 0 ? random.Next(14, 19) : random.Next(5);

    private static JsonArray Number(double value) => new("f64", BitConverter.DoubleToUInt64Bits(value).ToString("x16"));

    private static byte[] Bytes(Random random)
    {
        byte[] bytes = new byte[s_lengths[random.Next(s_lengths.Length)]];
        if (random.Next(2) == 0)
        {
            random.NextBytes(bytes);
        }

        return bytes;
    }

    private static JsonArray Text(Random random)
    {
        var text = new StringBuilder();
        for (int length = s_lengths[random.Next(s_lengths.Length)]; length > 0; length--)
        {
            int scalar = random.Next(0x10ffff) >> random.Next(21);
            text.Append(Rune.IsValid(scalar) ? new Rune(scalar) : new Rune('\ufffd'));
        }

        return new JsonArray("str", HexRuns.Format(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
