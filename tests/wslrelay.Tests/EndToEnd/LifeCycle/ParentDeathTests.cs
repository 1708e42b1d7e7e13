using Wslrelay.Tests.EndToEnd.Datagrams;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

public sealed class ParentDeathTests
{
    /// <summary>A parent that holds the relay's standard input and copies its own to it, for as long as it runs.</summary>
    private const string Parent = """
        import os, subprocess, sys
        relay = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
        while data := os.read(0, 65536):
            relay.stdin.write(data)
            relay.stdin.flush()
        """;

    [Fact]
    public async Task Kill_9_of_the_parent_ends_the_relay_within_a_second_with_a_thousand_connections_open()
    {
        Platform.OnLinuxOnly("The parent is killed by a signal.");
        RequiredTool.Require("python3", "python3", "--version");
        await using var relay = RelayUnderTest.ServeThrough(["python3", "-c", Parent]);
        var id = (int)Assert.IsType<long>(Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["pid"]);
        Assert.NotEqual(relay.Process.Id, id);
        await using var many = await ManyConnections.OpenAsync(relay, 1000, mappings: 100);
        using var datagrams = await DatagramLoad.StartAsync(relay);

        await Limits.AssertEndsInTimeAsync(id, relay.Process.Kill);
        datagrams.AssertPortFree();
        Assert.All(many.Mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), $"{mapping.Name} is still taken."));
        foreach (var client in many.Clients)
            await client.AssertEndedAsync();
    }

    [Fact]
    public async Task The_parent_sees_a_crash_of_the_relay_at_once()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.ResultAsync("hello");
        var next = relay.NextAsync();
        relay.Process.Kill();
        Assert.Null(await next);
    }
}
