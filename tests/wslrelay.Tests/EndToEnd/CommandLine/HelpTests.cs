using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

public sealed class HelpTests
{
    [Fact]
    public async Task Help_has_an_example_of_every_command()
    {
        var run = await ProgramRun.OfRelayAsync("--help");
        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.All((string[])["serve", "forward", "check", "guest", "demo"], command => Assert.Contains($"  wslrelay {command} ", run.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("serve", "--target", "--vm-id", "--port", "--exit-event", "--parent-pid", "--drain-ms", "--allow-remote", "--log-level")]
    [InlineData("forward", "MAPPING", "--target", "--allow-remote", "--watch", "--json", "--log-level")]
    [InlineData("check", "MAPPING", "--target", "--guest-protocol", "--json")]
    [InlineData("guest", "--listen", "--exit-event", "--allow-any-cid", "--log-level")]
    [InlineData("demo", "--ports")]
    public async Task Help_of_a_command_names_every_option_and_has_an_example(string command, params string[] options)
    {
        var run = await ProgramRun.OfRelayAsync(command, "--help");
        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Contains($"  wslrelay {command} ", run.Output.Split("Example:").Last(), StringComparison.Ordinal);
        Assert.All(options, option => Assert.Contains(option, run.Output, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Version_is_the_one_that_hello_reports()
    {
        await using var relay = RelayUnderTest.Serve();
        var version = Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["version"];
        var run = await ProgramRun.OfRelayAsync("--version");
        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Equal(version, run.Output.Trim());
    }
}
