using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>--guest-protocol wsl: the message that WSL's init reads, byte for byte, and no wait for an answer.</summary>
public sealed class WslProtocolTests
{
    private static readonly byte[] Message4 =
    [
        15, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // type, size, transaction id, step
        2, 0, 0x90, 0x1f, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, // AF_INET, port 8080, padding, buffer size
    ];

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task The_message_is_exact_and_bytes_flow_both_ways_without_an_answer(string kind)
    {
        using var init = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", init.Target, "--guest-protocol", "wsl");
        foreach (var family in (int[])[4, 6])
        {
            var mapping = await relay.MapAsync(8080, family: family);
            using var client = await mapping.ConnectAsync();
            await client.SendAllAsync("question"u8.ToArray());
            using var connection = await init.AcceptAsync();
            byte[] expected = [.. Message4];
            expected[16] = (byte)(family == 6 ? 10 : 2);
            Assert.Equal(expected, await connection.ReceiveExactlyAsync(32));
            Assert.Equal("question"u8.ToArray(), await connection.ReceiveExactlyAsync(8));

            // Nil would be the answer of wslrelay's agent; here it is the server's first byte.
            byte[] answer = [0xc0, .. "answer"u8];
            await connection.SendAllAsync(answer);
            connection.Shutdown(SocketShutdown.Send);
            Assert.Equal(answer, await client.ReceiveToEndAsync());
            await client.SendAllAsync("more"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal("more"u8.ToArray(), await connection.ReceiveToEndAsync());
            Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
        }
    }

    [Fact]
    public async Task An_init_that_closes_at_once_ends_its_client()
    {
        using var init = new FakeAgent("tcp");
        await using var relay = RelayUnderTest.Serve("--target", init.Target, "--guest-protocol", "wsl");
        var mapping = await relay.MapAsync(80);
        using var client = await mapping.ConnectAsync();
        (await init.AcceptAsync()).Reset();
        await client.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the connection to be gone");
    }

    [Fact]
    public async Task Another_name_is_a_usage_error()
    {
        var run = await ProgramRun.OfRelayAsync("serve", "--guest-protocol", "tea");
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("--guest-protocol: 'tea' is not one of", run.Error, StringComparison.Ordinal);
    }
}
