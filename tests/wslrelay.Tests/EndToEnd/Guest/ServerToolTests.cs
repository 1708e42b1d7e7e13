using System.Security.Cryptography;
using Wslrelay.Tests.EndToEnd.Foreign;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>nginx and redis with their clients, through the relay and the agent.</summary>
public sealed class ServerToolTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Curl_downloads_256_MB_from_nginx_through_the_agent(string kind)
    {
        Nginx.Require();
        await using var chain = await GuestChain.OpenAsync(kind);
        using var folder = new TemporaryFolder();
        var content = Net.RandomBytes(256 << 20, 7);
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "file"), content, TestContext.Current.CancellationToken);
        var port = Net.FreePort();
        using var server = await Nginx.StartAsync(folder, port);
        var mapping = await chain.Relay.MapAsync(port);
        var expected = Convert.ToHexStringLower(SHA256.HashData(content));
        Assert.All(await Task.WhenAll(Nginx.DownloadAsync(mapping), Nginx.DownloadAsync(mapping), Nginx.DownloadAsync(mapping)), checksum => Assert.Equal(expected, checksum));
        var counters = await chain.Relay.CountersAsync(mapping);
        Assert.Equal((3L, 0L), ((long)counters["accepted"]!, (long)counters["failed"]!));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Redis_benchmark_completes_through_the_agent(string kind)
    {
        RequiredTool.Require("redis-server", "redis-server", "--version");
        RequiredTool.Require("redis-benchmark", "redis-tools", "--version");
        await using var chain = await GuestChain.OpenAsync(kind);
        using var folder = new TemporaryFolder();
        var port = Net.FreePort();
        using var server = await ToolServer.StartAsync(
            port, "redis-server", "--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--appendonly", "no", "--dir", folder.Path);
        var mapping = await chain.Relay.MapAsync(port);
        foreach (var arguments in (string[][])[["-c", "50", "-n", "10000", "-t", "set,get"], ["-c", "20", "-n", "2000", "-k", "0", "-t", "ping,set"]])
        {
            var run = await ProgramRun.OfAsync(["redis-benchmark", "-h", mapping.Address, "-p", $"{mapping.HostPort}", "-q", .. arguments]);
            Assert.True(run.ExitCode == 0, $"{run}");
            Assert.True(run.Output.Split("requests per second").Length > 2, $"{run}");
            Assert.DoesNotContain("error", run.Output + run.Error, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(0L, (await chain.Relay.CountersAsync(mapping))["failed"]);
    }
}
