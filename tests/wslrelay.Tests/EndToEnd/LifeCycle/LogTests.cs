using System.Diagnostics;
using System.Text.RegularExpressions;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

public sealed class LogTests
{
    [Fact]
    public async Task A_failure_that_repeats_is_one_line_and_then_a_count_each_second()
    {
        const int Connections = 300;
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(Net.FreePort());
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Connections; i++)
            await mapping.AssertResetAsync();

        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
        await Limits.UntilAsync(() => relay.Log.Contains("exiting", StringComparison.Ordinal), "the log");
        var lines = relay.Log.Split('\n').Where(line => line.Contains("ConnectionRefused", StringComparison.Ordinal)).ToArray();
        Assert.Equal(Connections, lines.Sum(line => Regex.Match(line, @"\(([0-9]+) more times\)") is { Success: true } match ? int.Parse(match.Groups[1].Value) : 1));
        Assert.InRange(lines.Length, 2, clock.Elapsed.TotalSeconds + 3);
    }
}
