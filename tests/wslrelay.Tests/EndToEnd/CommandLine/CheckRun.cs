using System.Text.Json;
using System.Text.RegularExpressions;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

/// <summary>The output of <c>check</c> as text and as JSON: both must agree, and the exit code with them.</summary>
internal sealed partial class CheckRun
{
    private CheckRun(Hop[] hops) => Hops = hops;

    public Hop[] Hops { get; }

    /// <summary>The hops' results in order, as in <c>ok ok skip fail skip</c>.</summary>
    public string Results => string.Join(' ', Hops.Select(hop => hop.Result));

    public string FirstFailure => Hops.First(hop => hop.Result == "fail").Message;

    public static async Task<CheckRun> OfAsync(params string[] arguments)
    {
        var text = await ProgramRun.OfRelayAsync(["check", .. arguments]);
        Assert.Empty(text.Error);
        var lines = text.Output.TrimEnd().Split('\n').Select(line => LineFormat().Match(line.TrimEnd('\r')));
        Assert.All(lines, line => Assert.True(line.Success, text.Output));
        var fromText = lines.Select(line => new Hop(line.Groups[2].Value, line.Groups[1].Value, line.Groups[3].Value)).ToArray();

        var json = await ProgramRun.OfRelayAsync(["check", .. arguments, "--json"]);
        Assert.Empty(json.Error);
        using var document = JsonDocument.Parse(json.Output);
        var fromJson = document.RootElement.GetProperty("hops").EnumerateArray().Select(hop =>
        {
            var result = hop.GetProperty("result").GetString()!;
            Assert.Equal(result == "ok" ? JsonValueKind.Number : JsonValueKind.Null, hop.GetProperty("milliseconds").ValueKind);
            return new Hop(hop.GetProperty("name").GetString()!, result, hop.GetProperty("message").GetString()!);
        });
        Assert.Equal(fromJson, fromText);

        var exitCode = fromText.Any(hop => hop.Result == "fail") ? 1 : 0;
        Assert.Equal((exitCode, exitCode), (text.ExitCode, json.ExitCode));
        return new CheckRun(fromText);
    }

    [GeneratedRegex(@"^(ok|fail|skip) +(host port|target|agent|guest port v[46]) +(.+?)(?: \([0-9.]+ ms\))?$")]
    private static partial Regex LineFormat();

    internal sealed record Hop(string Name, string Result, string Message);
}
