using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>Thousands of broken preambles for an agent's process and broken answers for a relay's, while a good connection keeps sending.</summary>
public sealed class BrokenSocketTests
{
    private static readonly int Count = Platform.IsWine ? 1000 : 3000;

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Broken_preambles_disturb_no_other_connection(string kind)
    {
        await using var chain = await GuestChain.OpenAsync(kind);
        var assertReleased = await chain.CountDescriptorsAsync();
        await using var server = GuestServer.Echo();
        var mutations = new Mutations(3, Preamble.Of(Net.FreePort()), Preamble.OfSize(1024, Net.FreePort()));
        var mapping = await chain.Relay.MapAsync(server.Port);
        await WithGoodConnectionAsync(mapping, async () =>
        {
            for (var i = 0; i < Count; i++)
            {
                using var relay = await chain.Agent.ConnectAsync();
                try
                {
                    await relay.SendAllAsync(mutations.Next());
                    if (i % 5 == 0)
                    {
                        relay.Reset();
                        continue;
                    }

                    relay.Shutdown(SocketShutdown.Send);
                }
                catch (SocketException) when (i % 5 == 0)
                {
                    continue;
                }

                var answer = await relay.ReceiveToEndAsync();
                if (answer is not [0xc0, ..])
                {
                    Assert.True(MsgDecoder.TryDecode(answer, out var error, out var length) && length == answer.Length, $"preamble {i}");
                    Assert.NotNull(Fault.Parse(error));
                }
            }
        });
        await chain.Relay.ResultsAsync("unmap", mapping.ToUnmap());
        await assertReleased();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Broken_answers_disturb_no_other_connection(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var server = GuestServer.Echo();
        var error = MsgEncoder.Encode(new MsgMap { ["code"] = -1, ["name"] = "ConnectionRefused", ["message"] = "nothing listens there" });
        var mutations = new Mutations(4, error, [.. error, .. error]);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target, "--log-level", "none");
        var mapping = await relay.MapAsync(server.Port);
        var broken = await relay.MapAsync(1);
        _ = AcceptAsync();
        var failed = 0L;
        Descriptors? descriptors = null;
        await WithGoodConnectionAsync(mapping, async () =>
        {
            await broken.AssertResetAsync();
            descriptors = new Descriptors(relay.Process);
            for (failed = 1; failed < Count; failed++)
                await broken.AssertResetAsync();
        });
        await Limits.UntilAsync(async () => (await relay.CountersAsync(broken))["active"] is 0L, "the broken connections to be gone");
        Assert.Equal(failed, (await relay.CountersAsync(broken))["failed"]);
        Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
        await descriptors!.AssertReleasedAsync();

        async Task AcceptAsync()
        {
            while (true)
            {
                var (connection, preamble) = await agent.AcceptPreambleAsync();
                _ = AnswerAsync(connection, preamble["port"] is 1L);
            }
        }

        async Task AnswerAsync(Socket connection, bool isBroken)
        {
            try
            {
                if (!isBroken)
                {
                    await connection.SendAllAsync(new byte[] { 0xc0 });
                    await EchoAsync(connection);
                    return;
                }

                byte[] answer;
                do
                {
                    lock (mutations)
                    {
                        answer = mutations.Next();
                    }
                }
                while (answer is [0xc0, ..]);
                await connection.SendAllAsync(answer);
                connection.Shutdown(SocketShutdown.Send);
                await connection.DrainAsync();
            }
            catch (SocketException)
            {
                // The relay has closed the connection.
            }

            connection.Dispose();
        }
    }

    private static async Task EchoAsync(Socket connection)
    {
        var buffer = new byte[16 * 1024];
        while (await connection.ReceiveAsync(buffer) is > 0 and var count)
            await connection.SendAllAsync(buffer.AsMemory(0, count));

        connection.Shutdown(SocketShutdown.Send);
    }

    // The good connection sends and receives its bytes back throughout, and in the end it has received every one.
    private static async Task WithGoodConnectionAsync(Mapping mapping, Func<Task> disturb)
    {
        using var client = await mapping.ConnectAsync();
        var stream = new ByteStream(5);
        using var stop = new CancellationTokenSource();
        var received = stream.ReceiveToEndAsync(client);
        var sent = Task.Run(async () =>
        {
            var position = 0L;
            while (!stop.IsCancellationRequested)
            {
                await stream.SendAsync(client, position, position + 10_000);
                position += 10_000;
                await Task.Delay(1);
            }

            return position;
        });
        await disturb();
        await stop.CancelAsync();
        var total = await sent;
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(total, await received);
        Assert.True(total > 0);
    }
}
