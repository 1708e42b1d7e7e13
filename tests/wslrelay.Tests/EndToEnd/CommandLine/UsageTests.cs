using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

/// <summary>Usage errors exit with 2, say which argument is wrong on standard error, and leave standard output empty.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("--nonsense", "serve", "--nonsense")]
    [InlineData("nonsense", "nonsense")]
    [InlineData("extra", "serve", "extra")]
    [InlineData("--drain-ms", "serve", "--drain-ms", "soon")]
    [InlineData("--drain-ms", "serve", "--drain-ms", "-1")]
    [InlineData("--drain-ms", "serve", "--drain-ms")]
    [InlineData("--target", "serve", "--target", "nowhere")]
    [InlineData("--target", "serve", "--target", "tcp:host")]
    [InlineData("--target", "serve", "--target", "")]
    [InlineData("--log-level", "serve", "--log-level", "loud")]
    [InlineData("--vm-id", "serve", "--vm-id", "not-a-guid", "--port", "5000")]
    [InlineData("--port", "serve", "--vm-id", "8f2b5a10-5d54-4f3a-9a39-1a2b3c4d5e6f")]
    [InlineData("--vm-id", "serve", "--port", "5000")]
    [InlineData("--vm-id", "serve", "--target", "direct", "--vm-id", "8f2b5a10-5d54-4f3a-9a39-1a2b3c4d5e6f", "--port", "5000")]
    [InlineData("--ports", "demo", "--ports", "many")]
    [InlineData("65536", "forward", "65536")]
    [InlineData("x:80", "forward", "x:80")]
    [InlineData("3000-2999", "forward", "3000-2999")]
    [InlineData("3000-3009:3000-3001", "forward", "3000-3009:3000-3001")]
    [InlineData("8080/sctp", "forward", "8080/sctp")]
    [InlineData("--watch", "forward", "80", "--watch")]
    [InlineData("--watch", "forward", "80", "--watch", "--json")]
    [InlineData("MAPPING", "check")]
    [InlineData("65536", "check", "65536")]
    [InlineData("--target", "check", "80", "--target", "nowhere")]
    [InlineData("no-such-host", "check", "80", "--target", "direct:no-such-host.invalid")]
    [InlineData("--allow-remote", "check", "80", "--allow-remote")]
    public async Task A_usage_error_names_the_argument(string argument, params string[] arguments)
    {
        var run = await ProgramRun.OfRelayAsync(arguments);
        Assert.True(run.ExitCode == 2, $"{run}");
        Assert.Contains(argument, run.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task No_command_is_a_usage_error()
    {
        var run = await ProgramRun.OfRelayAsync();
        Assert.Equal(2, run.ExitCode);
        Assert.NotEmpty(run.Error);
    }

    [Fact]
    public async Task Forward_without_a_mapping_is_a_usage_error()
    {
        var run = await ProgramRun.OfRelayAsync("forward");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("MAPPING", run.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Log_level_none_logs_nothing()
    {
        await using var relay = RelayUnderTest.Serve("--log-level", "none");
        await (await relay.MapAsync(Net.FreePort())).AssertResetAsync();
        relay.CloseInput();
        await relay.ExitAsync();
        Assert.Empty(relay.Log);
    }
}
