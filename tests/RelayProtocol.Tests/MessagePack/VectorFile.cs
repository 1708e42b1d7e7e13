using System.Text.Json.Nodes;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>The vectors.*.txt files: values, and the bytes that other implementations have for them.</summary>
internal static class VectorFile
{
    /// <summary>Values as other implementations encode them, which is the shortest form.</summary>
    public static readonly string[] Shortest = ["vectors.python.txt", "vectors.ruby.txt", "vectors.javascript.txt"];

    /// <summary>As <see cref="Shortest"/>, and values in encodings longer than necessary.</summary>
    public static readonly string[] All = [.. Shortest, "vectors.long.txt"];

    /// <summary>Rows of file, line and text, for theories: the text names the test.</summary>
    public static TheoryData<string, int, string> Rows(IEnumerable<string> files, Func<JsonNode, bool> filter)
    {
        var rows = new TheoryData<string, int, string>();
        foreach (string file in files)
        {
            string[] lines = Lines(file);
            for (int line = 0; line < lines.Length; line++)
            {
                string text = lines[line].Split('\t')[0];
                if (!text.StartsWith('#') && filter(JsonNode.Parse(text)!))
                    rows.Add(file, line, text);
            }
        }

        return rows;
    }

    public static (JsonNode Value, byte[] Bytes) Read(string file, int line)
    {
        string[] parts = Lines(file)[line].Split('\t');
        return (JsonNode.Parse(parts[0])!, HexRuns.Parse(parts[1]));
    }

    public static IEnumerable<byte[]> AllBytes() =>
        All.SelectMany(file => Lines(file).Where(line => !line.StartsWith('#')).Select(line => HexRuns.Parse(line.Split('\t')[1])));

    private static string[] Lines(string file) => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "MessagePack", file));
}
