using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Wslrelay.TestTools;
using Xunit;

namespace RelayProtocol.Tests.MessagePack;

/// <summary>Values that were never seen before, to another implementation and back, by running it.</summary>
public class InteropTests
{
    private const int Values = 2000;

    [Fact]
    public async Task Python_and_we_understand_each_other()
    {
        RequiredTool.Require("/usr/bin/python3", "python3-msgpack", "-c", "import msgpack");
        await ExchangeWith("/usr/bin/python3", "interop.py");
    }

    [Fact]
    public async Task Ruby_and_we_understand_each_other()
    {
        RequiredTool.Require("/usr/bin/ruby", "ruby-msgpack", "-e", "require 'msgpack'; MessagePack::Timestamp");
        await ExchangeWith("/usr/bin/ruby", "interop.rb");
    }

    private static async Task ExchangeWith(string interpreter, string script)
    {
        var random = new Random(1729);
        JsonNode[] values = [.. Enumerable.Range(0, Values).Select(_ => RandomValue.Next(random, depth: 3))];
        var questions = new StringBuilder();
        foreach (JsonNode value in values)
        {
            questions.Append($"unpack {HexRuns.Format(TaggedValue.Encode(value))}\npack {value.ToJsonString()}\n");
        }

        string[] answers = await Run(interpreter, Path.Combine(AppContext.BaseDirectory, "MessagePack", script), questions.ToString());
        Assert.Equal(2 * Values, answers.Length);
        for (int i = 0; i < Values; i++)
        {
            string expected = values[i].ToJsonString();
            Assert.Equal(expected, JsonNode.Parse(answers[2 * i])!.ToJsonString());
            byte[] theirs = HexRuns.Parse(answers[(2 * i) + 1]);
            Assert.Equal(expected, TaggedValue.Decode(new ReadOnlySequence<byte>(theirs)).ToJsonString());
            Assert.Equal(HexRuns.Format(theirs), HexRuns.Format(TaggedValue.Encode(values[i])));
        }
    }

    private static async Task<string[]> Run(string interpreter, string script, string input)
    {
        CancellationToken ended = TestContext.Current.CancellationToken;
        using Process process = Process.Start(new ProcessStartInfo(interpreter, [script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(ended);
        await process.StandardInput.WriteAsync(input.AsMemory(), ended);
        process.StandardInput.Close();
        string[] lines = (await output).Split('\n', StringSplitOptions.TrimEntries)[..^1];
        await process.WaitForExitAsync(ended);
        Assert.Equal(0, process.ExitCode);
        return lines;
    }
}
