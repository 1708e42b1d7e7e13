using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>redis-benchmark, many small requests and answers, through a mapping to redis-server.</summary>
public sealed class RedisTests
{
    [Theory]
    [InlineData("fifty clients", "-c", "50", "-n", "20000", "-t", "set,get,lpush,lrange_100")]
    [InlineData("pipelined, large values", "-c", "20", "-n", "20000", "-P", "16", "-d", "4096", "-t", "set,get,mset")]
    [InlineData("a connection for each request", "-c", "20", "-n", "5000", "-k", "0", "-t", "ping,set")]
    public async Task Benchmark_completes_with(string what, params string[] arguments)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require("redis-server", "redis-server", "--version");
        RequiredTool.Require("redis-benchmark", "redis-tools", "--version");
        using var folder = new TemporaryFolder();
        var port = Net.FreePort();
        using var server = await ToolServer.StartAsync(
            port, "redis-server", "--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--appendonly", "no", "--dir", folder.Path);
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(port);
        var run = await ProgramRun.OfAsync(
            ["redis-benchmark", "-h", mapping.Address, "-p", $"{mapping.HostPort}", "-q", .. arguments]);
        Assert.True(run.ExitCode == 0, $"{what}: {run}");
        var wanted = arguments[^1].Split(',').Length;
        var done = run.Output.Split('\n', '\r').Where(line => line.Contains("requests per second", StringComparison.Ordinal)).ToArray();
        Assert.True(done.Length >= wanted, $"{what}: {run}");
        Assert.DoesNotContain("error", run.Output + run.Error, StringComparison.OrdinalIgnoreCase);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', done));
    }
}
