using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>
/// Over a hop that hides resets the agent marks the end of what the server sends (protocol, section 3, "ends"): the relay against an agent played by
/// the test, and the agent against a relay played by the test. Both together are in <see cref="LinkTests"/>.
/// </summary>
public sealed class EndMarkTests
{
    private static readonly byte[] Ends = [0x81, 0xa4, .. "ends"u8, 0xc3];

    private static readonly byte[] Mark = [0, 0, 0, 0];

    [Fact]
    public async Task Chunks_split_in_any_way_are_reassembled_and_the_mark_ends_them()
    {
        using var agent = new FakeAgent("unix");
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(80);
        byte[] sent = [.. Chunk("a"u8), .. Chunk("longer"u8), .. Chunk(Net.RandomBytes(300, 1)), .. Mark];
        byte[] expected = [.. "alonger"u8, .. Net.RandomBytes(300, 1)];
        for (var piece = 1; piece <= 16; piece++)
        {
            using var client = await mapping.ConnectAsync();
            using var connection = await AcceptAsync(agent);
            await connection.SendAllAsync(Ends);
            for (var i = 0; i < sent.Length; i += piece)
            {
                await connection.SendAllAsync(sent.AsMemory(i, Math.Min(piece, sent.Length - i)));
                await Task.Yield();
            }

            Assert.Equal(expected, await client.ReceiveToEndAsync());
            await client.SendAllAsync("still open"u8.ToArray());
            Assert.Equal("still open"u8.ToArray(), await connection.ReceiveExactlyAsync(10));
            client.Shutdown(SocketShutdown.Send);
            await connection.AssertEndAsync();
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
        var counters = await relay.CountersAsync(mapping);
        Assert.Equal((16L * expected.Length, 0L), ((long)counters["bytesToHost"]!, (long)counters["failed"]!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_ends_without_the_mark_is_reset(bool clientHasEnded)
    {
        await using var hop = await Hop.OpenAsync();
        var (client, connection) = (hop.Client, hop.Connection);
        await connection.SendAllAsync((byte[])[.. Ends, .. Chunk("a part"u8)]);
        if (clientHasEnded)
        {
            client.Shutdown(SocketShutdown.Send);
            await connection.AssertEndAsync();
        }

        Assert.Equal("a part"u8.ToArray(), await client.ReceiveExactlyAsync(6));
        connection.Dispose();
        await client.AssertResetAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_after_the_mark_and_a_connection_that_is_gone_before_the_client_has_ended_reset_it(bool bytesFollow)
    {
        await using var hop = await Hop.OpenAsync();
        var (client, connection) = (hop.Client, hop.Connection);
        await connection.SendAllAsync((byte[])[.. Ends, .. Mark]);
        await client.AssertEndAsync();
        if (bytesFollow)
            await connection.SendAllAsync(new byte[1]);
        else
            connection.Dispose();

        await client.WaitForResetAsync();
    }

    [Fact]
    public async Task Bytes_after_the_mark_in_the_same_piece_reset_a_client_that_is_still_reading()
    {
        await using var hop = await Hop.OpenAsync();
        var (client, connection) = (hop.Client, hop.Connection);
        await connection.SendAllAsync(Ends);
        for (var i = 0; i < 20; i++)
            await connection.SendAllAsync(Chunk(new byte[30_000]));

        await Limits.PauseAsync();
        await connection.SendAllAsync((byte[])[.. Chunk("abc"u8), .. Mark, 1]);
        await client.AssertResetAsync();
    }

    [Fact]
    public async Task An_agent_that_does_not_know_it_answers_nil_and_sends_plain_bytes()
    {
        await using var hop = await Hop.OpenAsync();
        var (client, connection) = (hop.Client, hop.Connection);
        await connection.SendAllAsync((byte[])[0xc0, .. Chunk("as it is"u8)]);
        connection.Shutdown(SocketShutdown.Send);
        Assert.Equal(Chunk("as it is"u8), await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task It_is_not_offered_over_TCP_and_an_agent_that_uses_it_there_resets_the_client()
    {
        using var agent = new FakeAgent("tcp");
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(80);
        using var client = await mapping.ConnectAsync();
        var (connection, preamble) = await agent.AcceptPreambleAsync();
        Assert.DoesNotContain("ends", preamble.Keys);
        await connection.SendAllAsync(Ends);
        await client.AssertResetAsync();
    }

    [Fact]
    public async Task The_agent_marks_the_end_and_closes_once_the_relay_has_ended_too()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var pair = await OpenAsync(agent);
        await pair.Server.SendAllAsync("an answer"u8.ToArray());
        Assert.Equal(Chunk("an answer"u8), await pair.Relay.ReceiveExactlyAsync(13));
        pair.Server.Shutdown(SocketShutdown.Send);
        Assert.Equal(Mark, await pair.Relay.ReceiveExactlyAsync(4));
        await pair.Relay.SendAllAsync("more"u8.ToArray());
        Assert.Equal("more"u8.ToArray(), await pair.Server.ReceiveExactlyAsync(4));
        pair.Relay.Shutdown(SocketShutdown.Send);
        await pair.Server.AssertEndAsync();
        await pair.Relay.AssertEndAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_agent_treats_a_relay_that_is_gone_as_a_reset_and_sends_no_mark_for_a_server_that_resets(bool relayGoes)
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var pair = await OpenAsync(agent);
        if (relayGoes)
        {
            pair.Server.Shutdown(SocketShutdown.Send);
            Assert.Equal(Mark, await pair.Relay.ReceiveExactlyAsync(4));
            pair.Relay.Dispose();
            await pair.Server.AssertResetAsync();
        }
        else
        {
            pair.Relay.Shutdown(SocketShutdown.Send);
            await pair.Server.AssertEndAsync();
            pair.Server.Reset();
            await pair.Relay.AssertEndAsync();
        }
    }

    [Fact]
    public async Task An_agent_over_TCP_ignores_the_offer()
    {
        using var link = GuestLink.Create("tcp");
        await using var agent = await AgentUnderTest.StartAsync(link);
        await using var server = GuestServer.Echo();
        using var relay = await agent.ConnectAsync();
        await relay.SendAllAsync(Preamble.Offering("ends", server.Port));
        Assert.Equal(0xc0, Assert.Single(await relay.ReceiveExactlyAsync(1)));
        await relay.AssertEchoAsync();
    }

    private static byte[] Chunk(ReadOnlySpan<byte> bytes) => [0, 0, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    private static async Task<Socket> AcceptAsync(FakeAgent agent)
    {
        var (connection, preamble) = await agent.AcceptPreambleAsync();
        Assert.Equal(true, preamble["ends"]);
        return connection;
    }

    // A relay played by the test, and the server that the agent connected it to.
    private static async Task<Pair> OpenAsync(AgentUnderTest agent)
    {
        using var listener = Net.Listen(Net.Loopback(4));
        var relay = await agent.ConnectAsync();
        await relay.SendAllAsync(Preamble.Offering("ends", ((System.Net.IPEndPoint)listener.LocalEndPoint!).Port));
        var server = await listener.AcceptConnectionAsync();
        Assert.Equal(Ends, await relay.ReceiveExactlyAsync(Ends.Length));
        return new Pair(relay, server);
    }

    // A client, and the relay's connection for it to an agent played by the test.
    private sealed record Hop(FakeAgent Agent, RelayUnderTest Relay, Socket Client, Socket Connection) : IAsyncDisposable
    {
        public static async Task<Hop> OpenAsync()
        {
            var agent = new FakeAgent("unix");
            var relay = RelayUnderTest.Serve("--target", agent.Target);
            var client = await (await relay.MapAsync(80)).ConnectAsync();
            return new Hop(agent, relay, client, await AcceptAsync(agent));
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Relay.DisposeAsync();
            Agent.Dispose();
        }
    }

    private sealed record Pair(Socket Relay, Socket Server) : IDisposable
    {
        public void Dispose()
        {
            Relay.Dispose();
            Server.Dispose();
        }
    }
}
