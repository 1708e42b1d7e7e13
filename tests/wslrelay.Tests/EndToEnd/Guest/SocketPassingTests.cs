using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Over a Unix socket the agent passes the connected server's socket to the relay, and is no longer in the path (protocol, section 3).</summary>
public sealed class SocketPassingTests
{
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task The_agent_holds_nothing_of_a_connection_and_may_end()
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        await (await chain.CountDescriptorsAsync())();
        var agentOnly = new Descriptors(chain.Agent.Process);
        using var pair = await chain.OpenPairAsync();
        await agentOnly.AssertReleasedAsync();
        chain.Agent.Process.Kill();
        _ = await chain.Agent.ExitAsync();

        var stream = new ByteStream(1);
        var received = stream.ReceiveToEndAsync(pair.Guest);
        await stream.SendAsync(pair.Client, 0, 8 << 20);
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(8 << 20, await received);
        await pair.Guest.SendAllAsync("an answer"u8.ToArray());
        pair.Guest.Shutdown(SocketShutdown.Send);
        Assert.Equal("an answer"u8.ToArray(), await pair.Client.ReceiveToEndAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_is_seen_by_a_side_that_has_ended_its_sending(bool byClient)
    {
        await using var chain = await GuestChain.OpenAsync("unix");
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: byClient);
        second.Shutdown(SocketShutdown.Send);
        await first.AssertEndAsync();
        await first.SendAllAsync("a part"u8.ToArray());
        Assert.Equal("a part"u8.ToArray(), await second.ReceiveExactlyAsync(6));
        first.Reset();
        await second.AssertResetAsync();
    }

    [Fact]
    public async Task A_server_whose_relay_is_gone_before_its_socket_is_passed_is_reset()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var listener = Net.Listen(Net.Loopback(4));
        using (var relay = await agent.ConnectAsync())
        {
            Libc.Kill(agent.Process.Id, Libc.SIGSTOP);
            await relay.SendAllAsync(Preamble.Offering("pass", ((IPEndPoint)listener.LocalEndPoint!).Port));
        }

        Libc.Kill(agent.Process.Id, Libc.SIGCONT);
        using var server = await listener.AcceptConnectionAsync();
        await server.AssertResetAsync();
    }

    [Theory]
    [InlineData("listener")]
    [InlineData("unconnected")]
    [InlineData("datagram")]
    [InlineData("unix")]
    [InlineData("file")]
    [InlineData("unconnected,server")]
    [InlineData("server,server")]
    [InlineData("server,listener")]
    [InlineData("server,datagram")]
    [InlineData("server,unconnected,file")]
    [InlineData("server,unconnected", 2)]
    [InlineData("server,server", 2)]
    [InlineData("server,hundred", 2)]
    public async Task Anything_but_a_connected_TCP_socket_is_closed_and_counts_as_failed(string what, int proxy = 0)
    {
        using var link = GuestLink.Create("unix");
        await using var server = GuestServer.Echo();
        await using var agent = await StartAsync(link, what, server.Port);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        // With a header for each client the relay asks for no spare sockets.
        var mapping = (await relay.MapAsync(new MsgMap { ["guestPort"] = 80, ["proxy"] = proxy }))[0];
        await mapping.AssertResetAsync();
        await UntilFailedAsync(relay, mapping, 1);
        var descriptors = new Descriptors(relay.Process);
        for (var i = 2; i <= 20; i++)
        {
            await mapping.AssertResetAsync();
            await UntilFailedAsync(relay, mapping, i);
        }

        await descriptors.AssertReleasedAsync();
        Assert.Contains("not a connected TCP socket", relay.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_server_sent_before_its_reset_arrives_although_its_socket_was_passed_after_that()
    {
        using var link = GuestLink.Create("unix");
        using var listener = Net.Listen(Net.Loopback(4));
        await using var agent = await StartAsync(link, "reset", ((IPEndPoint)listener.LocalEndPoint!).Port);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var mapping = await relay.MapAsync(80);
        using var client = await mapping.ConnectAsync();
        using var server = await listener.AcceptConnectionAsync();
        _ = await server.ReceiveExactlyAsync(5);
        await server.SendAllAsync("last words"u8.ToArray());
        server.Reset();
        Assert.Equal("last words"u8.ToArray(), await client.ReceiveExactlyAsync(10));
        await client.AssertResetAsync();
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task An_agent_in_Python_passes_the_servers_socket_too()
    {
        using var link = GuestLink.Create("unix");
        await using var server = GuestServer.Echo();
        await using var agent = await StartAsync(link, "server", server.Port);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(agent.Listens));
        var mapping = await relay.MapAsync(80);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => mapping.AssertEchoAsync()));
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task A_relay_that_does_not_wait_for_the_answer_or_asks_over_TCP_has_its_bytes_relayed_by_the_agent()
    {
        await using var server = GuestServer.Echo();
        foreach (var (kind, first) in new[] { ("unix", "at once"u8.ToArray()), ("tcp", []) })
        {
            using var link = GuestLink.Create(kind);
            await using var agent = await AgentUnderTest.StartAsync(link);
            using var relay = await agent.ConnectAsync();
            await relay.SendAllAsync((byte[])[.. Preamble.Offering("pass", server.Port), .. first]);
            Assert.Null(await relay.ReadAnswerAsync());
            Assert.Equal(first, await relay.ReceiveExactlyAsync(first.Length));
            await relay.AssertEchoAsync();
        }
    }

    [Theory]
    [InlineData("pass", "yes")]
    [InlineData("spare", "4")]
    [InlineData("spare", -1)]
    public async Task A_wish_of_another_type_is_refused(string key, object wish)
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var relay = await agent.ConnectAsync();
        await relay.SendAllAsync(Preamble.Offering(key, 80, wish));
        var fault = await relay.ReadAnswerAsync();
        Assert.Equal("InvalidParams", fault!.Name);
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    private static Task UntilFailedAsync(RelayUnderTest relay, Mapping mapping, int count) =>
        Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is long failed && failed == count, $"{count} failed connections");

    private static Task<AgentUnderTest> StartAsync(GuestLink link, string what, int port)
    {
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        var script = Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", "passing_agent.py");
        return AgentUnderTest.StartCommandAsync([Python, "-B", script, link.ListenText, what, $"{port}"]);
    }
}
