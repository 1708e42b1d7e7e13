using System.Diagnostics;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The relay's side of section 3 of the protocol, against an agent that breaks each of its rules.</summary>
public sealed class AnswerTests
{
    /// <summary>Each with the text that the log must contain; the agent then sends nothing more, and the relay must not wait for more.</summary>
    private static readonly (string What, byte[] Answer, string Log)[] Answers =
    [
        ("garbage", [0xc1], "neither nil nor an error"),
        ("a web answer", "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), "neither nil nor an error"),
        ("true", [0xc3], "neither nil nor an error"),
        ("zero", [0x00], "neither nil nor an error"),
        ("an array", [0x90], "neither nil nor an error"),
        ("an empty map", [0x80], "neither nil nor an error"),
        ("chunks refused", MsgEncoder.Encode(new MsgMap { ["ends"] = false }), "neither nil nor an error"),
        ("chunks that are a number", MsgEncoder.Encode(new MsgMap { ["ends"] = 1 }), "neither nil nor an error"),
        ("an error without a name", MsgEncoder.Encode(new MsgMap { ["code"] = -1, ["message"] = "?" }), "neither nil nor an error"),
        ("a code that is text", MsgEncoder.Encode(new MsgMap { ["code"] = "1", ["name"] = "A", ["message"] = "?" }), "neither nil nor an error"),
        ("a name that is not text", MsgEncoder.Encode(new MsgMap { ["code"] = 1, ["name"] = 1, ["message"] = "?" }), "neither nil nor an error"),
        ("an announced gigabyte", [0xdb, 0x40, 0, 0, 0], "neither nil nor an error"),
        ("four billion keys", [0xdf, 0xff, 0xff, 0xff, 0xff], "neither nil nor an error"),
        ("nested arrays", [.. Enumerable.Repeat((byte)0x91, 100)], "neither nil nor an error"),
        ("an error", Error("ConnectionRefused", "the guest's message"), "ConnectionRefused: the guest's message"),
        ("an error of an unknown code", Error("UnknownName", "the message"), "UnknownName: the message"),
        ("an error with more after it", [.. Error("HostUnreachable", "no route"), 1, 2, 3, 0xc1], "HostUnreachable: no route"),
        ("a long error", Error("Internal", new string('x', 60_000)), "Internal: xxx"),
        ("an error over 64 KiB", Error("Internal", new string('y', 66_000)), "neither nil nor an error"),
    ];

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Each_answer_but_nil_resets_the_client_and_is_counted_and_logged(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(80);
        var assertReleased = await WarmUpAsync(agent, relay, mapping);
        var failed = 0L;
        foreach (var (what, answer, log) in Answers)
        {
            foreach (var byteByByte in answer.Length < 1000 ? new[] { false, true } : [false])
            {
                using var client = await mapping.ConnectAsync();
                await client.SendAllAsync("first bytes"u8.ToArray());
                var (connection, _) = await agent.AcceptPreambleAsync();
                await SendAsync(connection, answer, byteByByte);
                await client.AssertResetAsync();
                await connection.AssertEndedAsync();
                connection.Dispose();
                failed++;
                await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is long count && count == failed, $"{what} to be counted");
                await Limits.UntilAsync(() => relay.Log.Contains(log, StringComparison.Ordinal), $"{what} to be logged");
            }
        }

        await assertReleased();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task An_agent_that_closes_or_resets_without_a_whole_answer_resets_the_client(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(80);
        var assertReleased = await WarmUpAsync(agent, relay, mapping);
        var whole = Error("ConnectionRefused", "nothing listens there");
        var failed = 0L;
        for (var length = 0; length < whole.Length; length += length < 3 ? 1 : 7)
        {
            foreach (var end in (Action<Socket>[])[socket => socket.Shutdown(SocketShutdown.Send), socket => socket.Dispose(), SocketExtensions.Reset])
            {
                using var client = await mapping.ConnectAsync();
                var (connection, _) = await agent.AcceptPreambleAsync();
                await connection.SendAllAsync(whole.AsMemory(0, length));
                end(connection);
                await client.AssertResetAsync();
                connection.Dispose();
                failed++;
            }
        }

        // Closed before the preamble was read: with unread bytes a close is a reset.
        using (var client = await mapping.ConnectAsync())
        {
            await client.SendAllAsync("first bytes"u8.ToArray());
            (await agent.AcceptAsync()).Dispose();
            await client.AssertResetAsync();
            failed++;
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is long count && count == failed, "the failures to be counted");
        Assert.Contains("closed the connection without an answer", relay.Log, StringComparison.Ordinal);
        await assertReleased();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_client_that_closes_while_the_agent_connects_is_not_kept(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await relay.MapAsync(80);
        var assertReleased = await WarmUpAsync(agent, relay, mapping);
        var connections = new List<Socket>();
        for (var i = 0; i < 20; i++)
        {
            var client = await mapping.ConnectAsync();
            connections.Add((await agent.AcceptPreambleAsync()).Connection);
            client.Reset();
        }

        // At once, or, where nothing is read from the client until the answer, after the agent's ten seconds to answer.
        foreach (var connection in connections)
        {
            await connection.AssertEndedAsync();
            connection.Dispose();
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 20L, "the failures to be counted");
        await assertReleased();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task The_first_bytes_wait_for_the_answer_only_where_a_socket_may_come_with_it(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        foreach (var family in (int[])[4, 6])
        {
            var mapping = await relay.MapAsync(8080, family: family);
            using var client = await mapping.ConnectAsync();
            await client.SendAllAsync("question"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            var (connection, preamble) = await agent.AcceptPreambleAsync();
            var passes = kind == "unix";
            Assert.Equal(["v", "protocol", "family", "port", .. passes ? (string[])["pass", "ends", "spare"] : []], preamble.Keys);
            Assert.Equal([1L, "tcp", (long)family, 8080L, .. passes ? (object[])[true, true, 4L] : []], preamble.Values);
            if (passes)
            {
                // The server's socket may come with the answer: until then nothing more is sent.
                await Limits.PauseAsync();
                Assert.Equal(0, connection.Available);
                await connection.SendAllAsync(new byte[] { 0xc0 });
            }

            Assert.Equal("question"u8.ToArray(), await connection.ReceiveToEndAsync());
            await Limits.PauseAsync();
            await connection.SendAllAsync((byte[])[.. passes ? (byte[])[] : [0xc0], .. "answer"u8]);
            connection.Shutdown(SocketShutdown.Send);
            Assert.Equal("answer"u8.ToArray(), await client.ReceiveToEndAsync());
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task An_agent_that_is_not_there_or_never_answers_resets_the_client_within_ten_seconds(string kind)
    {
        using var silent = new FakeAgent(kind);
        var absent = kind == "tcp" ? $"tcp:127.0.0.1:{Net.FreePort()}" : $"{silent.Target}-absent";
        await Task.WhenAll(
            AssertResetAsync(silent.Target, 10, "TimedOut: no answer within 10 seconds"),
            AssertResetAsync(absent, 0, kind == "tcp" ? "ConnectionRefused: nothing listens there" : "unix:"));

        static async Task AssertResetAsync(string target, double seconds, string log)
        {
            await using var relay = RelayUnderTest.Serve("--target", target);
            var mapping = await relay.MapAsync(80);
            var clock = Stopwatch.StartNew();
            await mapping.AssertResetAsync();
            Limits.AssertTook(clock, seconds);
            await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
            await Limits.UntilAsync(() => relay.Log.Contains(log, StringComparison.Ordinal), "the reason to be logged");
        }
    }

    private static byte[] Error(string name, string message) =>
        MsgEncoder.Encode(new MsgMap { ["code"] = Fault.Codes.GetValueOrDefault(name, -1), ["name"] = name, ["message"] = message });

    private static async Task SendAsync(Socket connection, byte[] bytes, bool byteByByte)
    {
        try
        {
            for (var i = 0; byteByByte && i < bytes.Length; i++)
            {
                await connection.SendAllAsync(bytes.AsMemory(i, 1));
                await Task.Delay(1);
            }

            await connection.SendAllAsync(byteByByte ? default : bytes);
        }
        catch (SocketException)
        {
            // The relay has closed the connection.
        }
    }

    // Descriptors that the relay opens once, for its first connection, are not counted.
    private static async Task<Func<Task>> WarmUpAsync(FakeAgent agent, RelayUnderTest relay, Mapping mapping)
    {
        using (var client = await mapping.ConnectAsync())
        {
            var (connection, _) = await agent.AcceptPreambleAsync();
            await connection.SendAllAsync(new byte[] { 0xc0 });
            connection.Shutdown(SocketShutdown.Send);
            await client.AssertEndAsync();
        }

        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the first connection to be gone");
        var descriptors = new Descriptors(relay.Process);
        return async () =>
        {
            await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
            await descriptors.AssertReleasedAsync();
        };
    }
}
