using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>Parents in Python, with other MessagePack libraries.</summary>
public sealed class PythonParentTests
{
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task A_parent_written_from_the_protocol_alone_finds_every_promise_kept()
    {
        Platform.OnLinuxOnly("Its programs are Debian\'s.");
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        var run = await RunAsync("parent.py");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Matches(@"Ran [1-9][0-9]* tests in [0-9.]+s\s+OK", run.Error);
    }

    [Fact]
    public async Task A_general_MessagePack_RPC_client_can_be_the_parent()
    {
        Platform.OnLinuxOnly("Its programs are Debian\'s.");
        RequiredTool.Require(Python, "python3-pynvim", "-c", "import pynvim, msgpack");
        var run = await RunAsync("pynvim_parent.py");
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.EndsWith("OK\n", run.Output, StringComparison.Ordinal);
    }

    private static Task<ProgramRun> RunAsync(string script) =>
        ProgramRun.OfAsync([Python, "-B", Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Foreign", script)]);
}
