using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Connections over four loops: everything that is counted adds up, and nothing is left behind.</summary>
public sealed class LoopsTests
{
    [Fact]
    public async Task Counters_add_up_while_mappings_come_and_go()
    {
        const int Workers = 8;
        const int Size = 700;
        var rounds = Platform.IsWine ? 10 : 125;
        await using var relay = RelayUnderTest.ServeOver(4);
        await using var many = await ManyConnections.OpenAsync(relay, connections: 50, mappings: 1);
        var mapping = many.Mappings[0];
        var before = await relay.CountersAsync(mapping);
        var workers = Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            for (var round = 0; round < rounds; round++)
            {
                using var client = await mapping.ConnectAsync();
                await client.AssertEchoAsync(Net.RandomBytes(Size, worker));
                client.Shutdown(SocketShutdown.Send);
                await client.AssertEndAsync();
            }
        })));
        while (!workers.IsCompleted)
            await ComeAndGoAsync(relay, mapping.GuestPort);

        await workers;
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 50L, "what was closed to be gone");
        var after = await relay.CountersAsync(mapping);
        long Grown(string counter) => (long)after[counter]! - (long)before[counter]!;
        Assert.Equal((Workers * rounds, 0), (Grown("accepted"), Grown("failed")));
        Assert.Equal((Workers * rounds * Size, Workers * rounds * Size), (Grown("bytesToGuest"), Grown("bytesToHost")));
        Assert.Equal(50, (await relay.ResultsAsync("connections")).Length);
        var drain = mapping.ToUnmap();
        drain["drainMs"] = 0;
        Assert.Equal(new MsgMap { ["active"] = 0L, ["reset"] = 50L }, Assert.Single(await relay.ResultsAsync("unmap", drain)));
        Assert.Empty(await relay.ResultsAsync("connections"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_stop_at_any_moment_leaves_nothing(int seed)
    {
        await using var relay = RelayUnderTest.ServeOver(4);
        await using var many = await ManyConnections.OpenAsync(relay, connections: 100, mappings: 4);
        using var stop = new CancellationTokenSource();
        var clients = Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                while (!stop.IsCancellationRequested)
                    await many.Mappings[i % 4].AssertEchoAsync();
            }
            catch (SocketException)
            {
                // The relay ends.
            }
            catch (Xunit.Sdk.XunitException)
            {
                // Amid an echo.
            }
        })));
        await Limits.PauseAsync(new Random(seed).Next(100));
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, relay.CloseInput);
        Assert.Equal(0, await relay.ExitAsync());
        await stop.CancelAsync();
        await clients;
        foreach (var client in many.Clients)
            await client.AssertResetAsync();
    }

    // Four connections of a mapping of their own, of which two end by themselves and two by its drain.
    private static async Task ComeAndGoAsync(RelayUnderTest relay, int guestPort)
    {
        var mapping = await relay.MapAsync(guestPort);
        List<Socket> clients = [];
        for (var i = 0; i < 4; i++)
        {
            clients.Add(await mapping.ConnectAsync());
            await clients[i].AssertEchoAsync();
        }

        Assert.Equal(4L, (await relay.CountersAsync(mapping))["active"]);
        Assert.Equal(4, (await relay.ResultsAsync("connections", mapping.ToUnmap())).Length);
        clients[0].Shutdown(SocketShutdown.Send);
        clients[1].Reset();
        await clients[0].AssertEndAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 2L, "two to be gone");
        var drain = mapping.ToUnmap();
        drain["drainMs"] = 0;
        Assert.Equal(new MsgMap { ["active"] = 0L, ["reset"] = 2L }, Assert.Single(await relay.ResultsAsync("unmap", drain)));
        await clients[2].AssertResetAsync();
        await clients[3].AssertResetAsync();
        clients.ForEach(static client => client.Dispose());
    }
}
