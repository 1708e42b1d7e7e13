using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

public sealed class DemoTests
{
    [Theory]
    [InlineData()]
    [InlineData("--ports", "1")]
    [InlineData("--ports", "1000")]
    public async Task Works_with_nothing_else_installed(params string[] arguments)
    {
        var run = await ProgramRun.OfRelayAsync(["demo", .. arguments]);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.All((string[])["hello", "map", "refuses connections"], step => Assert.Contains(step, run.Output, StringComparison.Ordinal));
    }
}
