using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>An agent in Python, written from the protocol alone, serves the relay.</summary>
public sealed class PythonAgentTests
{
    private const string Python = "/usr/bin/python3";

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task It_keeps_every_promise_of_a_connection(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await StartAsync(link);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var stream = new ByteStream(1);

        // Bytes and ends both ways, both families.
        foreach (var family in (int[])[4, 6])
        {
            await using var server = GuestServer.Echo(family);
            using var client = await (await relay.MapAsync(server.Port, family: family)).ConnectAsync();
            var back = stream.ReceiveToEndAsync(client);
            await stream.SendAsync(client, 0, 16 << 20);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(16 << 20, await back);
        }

        // Resets both ways.
        foreach (var byClient in (bool[])[true, false])
        {
            using var pair = await RelayedPair.OpenAsync(relay);
            var (first, second) = pair.From(client: byClient);
            first.Reset();
            await second.AssertResetAsync();
        }

        // A server that refuses.
        var refused = await relay.MapAsync(Net.FreePort());
        await refused.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(refused))["failed"] is 1L, "the refusal to be counted");
        await Limits.UntilAsync(() => relay.Log.Contains("nothing listens there", StringComparison.Ordinal), "its reason to be logged");

        // Many at once.
        await using var echo = GuestServer.Echo();
        var mapping = await relay.MapAsync(echo.Port);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => mapping.AssertEchoAsync()));
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task It_refuses_what_the_agent_of_wslrelay_refuses()
    {
        using var link = GuestLink.Create("tcp");
        await using var agent = await StartAsync(link);
        foreach (var broken in Preamble.Broken(Net.FreePort()))
        {
            using var relay = await agent.ConnectAsync();
            await relay.SendAllAsync(broken.Bytes);
            relay.Shutdown(SocketShutdown.Send);
            Assert.Equal(broken.Name, (await relay.ReadAnswerAsync())!.Name);
            await relay.AssertEndAsync();
        }
    }

    private static Task<AgentUnderTest> StartAsync(GuestLink link)
    {
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        return AgentUnderTest.StartCommandAsync([Python, "-B", Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", "guest_agent.py"), link.ListenText]);
    }
}
