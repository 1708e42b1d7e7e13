using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The target firecracker:PATH:PORT, with the agent behind a hybrid vsock played by the test: CONNECT, OK, and bytes.</summary>
public sealed class FirecrackerTests
{
    private const int Port = 5000;

    [Fact]
    public async Task A_connection_goes_through_the_hybrid_vsock_to_the_agent_and_the_server()
    {
        using var link = GuestLink.Create("tcp");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var hybrid = new FakeAgent("unix");
        await using var relay = Serve(hybrid);
        await using var server = GuestServer.Echo();
        _ = ForwardAsync(hybrid, agent);
        var mapping = await relay.MapAsync(server.Port);
        for (var round = 0; round < 20; round++)
        {
            using var client = await mapping.ConnectAsync();
            var bytes = Net.RandomBytes(300_000, round);
            var back = client.ReceiveToEndAsync();
            await client.SendAllAsync(bytes);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(bytes, await back);
        }

        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
    }

    [Fact]
    public async Task The_OK_may_come_byte_by_byte_and_the_answer_with_its_last_byte()
    {
        using var hybrid = new FakeAgent("unix");
        await using var relay = Serve(hybrid);
        var mapping = await relay.MapAsync(80);
        using var client = await mapping.ConnectAsync();
        await client.SendAllAsync("question"u8.ToArray());
        var connection = await AcceptAsync(hybrid);
        foreach (var one in "OK 1073741824"u8.ToArray())
        {
            await connection.SendAllAsync(new[] { one });
            await Limits.PauseAsync(2);
        }

        await connection.SendAllAsync((byte[])[(byte)'\n', 0xc0, .. "answer"u8]);
        Assert.Equal("answer"u8.ToArray(), await client.ReceiveExactlyAsync(6));
        var preamble = Preamble.Offering("ends", 80);
        Assert.Equal((byte[])[.. preamble, .. "question"u8], await connection.ReceiveExactlyAsync(preamble.Length + 8));
    }

    [Theory]
    [InlineData("refused", "", "closed the connection without an answer")]
    [InlineData("truncated", "OK 10", "closed the connection without an answer")]
    [InlineData("no OK", "ERR no such port\n", "'ERR no such port', not OK")]
    [InlineData("OK without a number", "OK\n", "not OK")]
    [InlineData("a number of more than 32 bits", "OK 4294967296\n", "not OK")]
    [InlineData("OK with more after the number", "OK 1 more\n", "not OK")]
    [InlineData("a carriage return", "OK 1\r\n", "not OK")]
    [InlineData("a signed number", "OK +1\n", "not OK")]
    [InlineData("another word", "OKAY 1\n", "not OK")]
    [InlineData("no end of line", "OK 11111111111111111111111111111111111111111111111111111111111111111111", "not OK")]
    public async Task A_hybrid_vsock_that_refuses_resets_the_client(string what, string says, string log)
    {
        using var hybrid = new FakeAgent("unix");
        await using var relay = Serve(hybrid);
        var mapping = await relay.MapAsync(80);
        using var client = await mapping.ConnectAsync();
        await client.SendAllAsync("question"u8.ToArray());
        var connection = await AcceptAsync(hybrid);
        await connection.SendAllAsync(System.Text.Encoding.ASCII.GetBytes(says));
        connection.Shutdown(SocketShutdown.Send);
        await client.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 1L, $"{what} to be counted");
        await Limits.UntilAsync(() => relay.Log.Contains(log, StringComparison.Ordinal), $"{what} to be logged");
    }

    [Fact]
    public async Task A_hybrid_vsock_or_a_client_that_closes_leaves_no_descriptor()
    {
        using var hybrid = new FakeAgent("unix");
        await using var relay = Serve(hybrid);
        var mapping = await relay.MapAsync(80);
        await LeaveAsync(byClient: false);
        var descriptors = new Descriptors(relay.Process);
        for (var i = 0; i < 20; i++)
            await LeaveAsync(byClient: i % 2 == 0);

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 21L, "the failures to be counted");
        await descriptors.AssertReleasedAsync();

        async Task LeaveAsync(bool byClient)
        {
            using var client = await mapping.ConnectAsync();
            var connection = await AcceptAsync(hybrid);
            if (byClient)
                client.Reset();

            // Nothing is read from the client before the CONNECT line is answered, so only the next step finds out that it has left.
            await connection.SendAllAsync("OK 1\n"u8.ToArray());
            if (!byClient)
            {
                connection.Dispose();
                await client.AssertResetAsync();
            }

            connection.Dispose();
        }
    }

    private static RelayUnderTest Serve(FakeAgent hybrid) => RelayUnderTest.Serve("--target", $"firecracker:{hybrid.Path}:{Port}");

    private static async Task<Socket> AcceptAsync(FakeAgent hybrid)
    {
        var connection = await hybrid.AcceptAsync();
        Assert.Equal("CONNECT 5000\n"u8.ToArray(), await connection.ReceiveExactlyAsync(13));
        return connection;
    }

    private static async Task ForwardAsync(FakeAgent hybrid, AgentUnderTest agent)
    {
        while (true)
        {
            var outer = await AcceptAsync(hybrid);
            var inner = await agent.ConnectAsync();
            await outer.SendAllAsync("OK 1073741824\n"u8.ToArray());
            _ = CopyAsync(outer, inner);
            _ = CopyAsync(inner, outer);
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer) is > 0 and var count)
            await to.SendAllAsync(buffer.AsMemory(0, count));

        to.Shutdown(SocketShutdown.Send);
    }
}
