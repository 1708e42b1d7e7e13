using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Datagrams;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

// How connections end, through both hops: ends of sending, resets, and processes that are gone.
public abstract partial class LinkTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_of_sending_comes_after_the_last_byte_and_the_other_direction_goes_on(bool clientEndsFirst)
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: clientEndsFirst);
        await Promises.EndAfterTheLastByteAsync(first, second, 10 << 20);
    }

    [Fact]
    public async Task A_client_that_ended_at_once_still_gets_its_whole_answer()
    {
        await using var chain = await OpenAsync();
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        for (var round = 0; round < 200; round++)
            await Promises.AnswerToAClientThatEndedAtOnceAsync(mapping);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_of_an_idle_connection_stays_one(bool byClient)
    {
        await using var chain = await OpenAsync();
        for (var round = 0; round < 20; round++)
        {
            using var pair = await chain.OpenPairAsync();
            var (first, second) = pair.From(client: byClient);
            first.Reset();
            await second.AssertResetAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_amid_a_transfer_stays_one(bool byClient)
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: byClient);
        await Promises.ResetAmidATransferAsync(first, second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_by_the_side_that_still_may_send_after_a_half_close_ends_the_other(bool byClient)
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: byClient);
        await Promises.ResetAmidTheAnswerAsync(first, second);
        await second.AssertResetAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_by_the_side_that_has_ended_its_sending_reaches_even_an_idle_other(bool byClient)
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: byClient);
        first.Shutdown(SocketShutdown.Send);
        await second.AssertEndAsync();
        first.Reset();
        await second.WaitForResetAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_agent_that_dies_resets_its_clients_and_a_relay_that_dies_ends_its_servers(bool agentDies)
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        await pair.Client.SendAllAsync("here"u8.ToArray());
        await pair.Guest.ReceiveExactlyAsync(4);
        using var datagrams = await DatagramLoad.StartAsync(chain.Relay);
        (agentDies ? chain.Agent.Process : chain.Relay.Process).Kill();
        if (agentDies && kind == "unix")
        {
            // It has passed the server's socket to the relay, and is out of the path.
            _ = await chain.Agent.ExitAsync();
            await pair.Client.SendAllAsync("still"u8.ToArray());
            await pair.Guest.ReceiveExactlyAsync(5);
            return;
        }

        await (agentDies ? pair.Client.AssertResetAsync() : pair.Guest.AssertEndedAsync());
    }

    [Fact]
    public async Task Half_closed_and_idle_connections_cost_no_processor_time()
    {
        await using var chain = await OpenAsync();
        var pairs = new List<RelayedPair>();
        for (var i = 0; i < 20; i++)
        {
            pairs.Add(await chain.OpenPairAsync());
            (i % 2 == 0 ? pairs[i].Client : pairs[i].Guest).Shutdown(SocketShutdown.Send);
            await (i % 2 == 0 ? pairs[i].Guest : pairs[i].Client).AssertEndAsync();
        }

        await Limits.UntilIdleAsync(chain.Relay.Process, chain.Agent.Process);
        pairs.ForEach(pair => pair.Dispose());
    }

    [Fact]
    public async Task Connections_that_break_in_every_way_harm_no_other_and_leave_nothing()
    {
        await using var chain = await OpenAsync();
        var areBack = await chain.RememberDescriptorsAsync();
        await using var server = GuestServer.Echo();
        using var listener = Net.Listen(Net.Loopback(4));
        var good = await chain.Relay.MapAsync(server.Port);
        var bad = await chain.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        using (var client = await good.ConnectAsync())
        {
            var stream = new ByteStream(4);
            var received = stream.ReceiveToEndAsync(client);
            var sent = stream.SendAsync(client, 0, Volume / 4);
            for (var i = 0; i < 300; i++)
            {
                using var pair = await RelayedPair.OpenAsync(bad, listener);
                await pair.From(client: i % 3 == 0).First.SendAllAsync(new byte[i % 5 * 20_000]);
                pair.From(client: i % 2 == 0).First.Reset();
            }

            await sent;
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(Volume / 4, await received);
        }

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(bad))["active"] is 0L, "the broken connections to be gone");
        await chain.Relay.ResultsAsync("unmap", good.ToUnmap(), bad.ToUnmap());
        await areBack();
    }

    [Fact]
    public async Task Resets_from_both_sides_at_once_leave_nothing()
    {
        await using var chain = await OpenAsync();
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await chain.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        var areBack = await chain.RememberDescriptorsAsync();
        for (var round = 0; round < 20; round++)
        {
            using var pair = await RelayedPair.OpenAsync(mapping, listener);
            await pair.Client.SendAllAsync("here"u8.ToArray());
            await pair.Guest.ReceiveExactlyAsync(4);
            Libc.Kill(chain.Relay.Process.Id, Libc.SIGSTOP);
            Libc.Kill(chain.Agent.Process.Id, Libc.SIGSTOP);
            await pair.From(client: round % 2 == 0).First.SendAllAsync(new byte[80_000]);
            pair.From(client: round % 4 < 2).First.Reset();
            pair.From(client: round % 4 >= 2).First.Reset();
            Libc.Kill(chain.Agent.Process.Id, Libc.SIGCONT);
            Libc.Kill(chain.Relay.Process.Id, Libc.SIGCONT);
        }

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
        await areBack();
    }
}
