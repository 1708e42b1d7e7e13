using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The promises of a relayed connection, through the relay and the agent: one suite for every link. This file tests the bytes.</summary>
public abstract partial class LinkTests(string kind)
{
    /// <summary>Bytes in each direction of the largest transfer.</summary>
    protected virtual long Volume => 256L << 20;

    /// <summary>Connections at once.</summary>
    protected virtual int ConnectionCount => 1000;

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task A_request_and_its_answer_arrive(int family)
    {
        await using var chain = await OpenAsync();
        await using var server = GuestServer.Echo(family);
        var mapping = await chain.Relay.MapAsync(server.Port, family: family);
        for (var round = 0; round < 50; round++)
            await mapping.AssertEchoAsync();

        var counters = await chain.Relay.CountersAsync(mapping);
        Assert.Equal((50L, 0L), ((long)counters["accepted"]!, (long)counters["failed"]!));
    }

    [Fact]
    public async Task All_that_a_client_sends_before_the_server_is_reached_comes_first_and_in_order()
    {
        await using var chain = await OpenAsync();
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        for (var size = 1; size <= 3_000_000; size = (size * 5) + 3)
        {
            using var client = await mapping.ConnectAsync();
            var bytes = Net.RandomBytes(size, size);
            var back = client.ReceiveToEndAsync();
            await client.SendAllAsync(bytes);
            client.Shutdown(SocketShutdown.Send);
            var echo = await back;
            Assert.True(bytes.AsSpan().SequenceEqual(echo), $"{size} bytes");
        }
    }

    [Fact]
    public async Task What_a_server_sends_first_arrives()
    {
        await using var chain = await OpenAsync();
        await using var server = GuestServer.Start(socket => socket.SendAllAsync("220 ready"u8.ToArray()));
        var mapping = await chain.Relay.MapAsync(server.Port);
        using var client = await mapping.ConnectAsync();
        Assert.Equal("220 ready"u8.ToArray(), await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task Volumes_both_ways_at_once_with_slow_readers_arrive_in_order_and_in_bounded_memory()
    {
        await using var chain = await OpenAsync();
        using var pair = await chain.OpenPairAsync();
        var (toGuest, toHost) = (new ByteStream(1), new ByteStream(2));
        long[] before = [ProcessFigures.Memory(chain.Relay.Process), ProcessFigures.Memory(chain.Agent.Process)];
        var sent = Task.WhenAll(SendAndEndAsync(toGuest, pair.Client), SendAndEndAsync(toHost, pair.Guest));

        // Neither side reads at first, so that every buffer on the way is full and both senders are blocked.
        await Limits.UntilIdleAsync(chain.Relay.Process, chain.Agent.Process);
        Assert.False(sent.IsCompleted);
        long[] grown = [ProcessFigures.Memory(chain.Relay.Process) - before[0], ProcessFigures.Memory(chain.Agent.Process) - before[1]];
        Assert.All(grown, bytes => Assert.InRange(bytes, long.MinValue, 4 << 20));

        // Then one reads as fast as it can, the other in small pieces at first.
        var fast = toGuest.ReceiveToEndAsync(pair.Guest);
        var slow = ReadSlowlyAsync();
        Assert.Equal((Volume, Volume), (await fast, await slow));
        await sent;

        async Task SendAndEndAsync(ByteStream stream, Socket socket)
        {
            await stream.SendAsync(socket, 0, Volume);
            socket.Shutdown(SocketShutdown.Send);
        }

        async Task<long> ReadSlowlyAsync()
        {
            byte[] first = [];
            for (var i = 0; i < 50; i++)
            {
                first = [.. first, .. await pair.Client.ReceiveExactlyAsync(4099)];
                await Task.Delay(20);
            }

            Assert.Equal(Net.RandomBytes(first.Length, 2), first);
            return await toHost.ReceiveToEndAsync(pair.Client, first.Length);
        }
    }

    [Fact]
    public async Task Many_connections_at_once_keep_their_bytes_apart_and_leave_no_descriptor()
    {
        await using var chain = await OpenAsync();
        var assertReleased = await chain.CountDescriptorsAsync();
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        var clients = new List<Socket>();

        // A hundred at a time: each must be set up within the contract's ten seconds, and how many a machine can set up at once in that time depends on it.
        while (clients.Count < ConnectionCount)
        {
            var next = await Task.WhenAll(Enumerable.Range(0, Math.Min(100, ConnectionCount - clients.Count)).Select(_ => mapping.ConnectAsync()));
            await Task.WhenAll(next.Select((client, i) => EchoAsync(client, clients.Count + i)));
            clients.AddRange(next);
        }

        Assert.Equal((long)ConnectionCount, (await chain.Relay.CountersAsync(mapping))["active"]);
        await Task.WhenAll(clients.AsEnumerable().Reverse().Select(EchoAsync));
        for (var i = 0; i < ConnectionCount; i++)
        {
            if (i % 2 == 0)
                clients[i].Reset();
            else
                clients[i].Dispose();
        }

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["active"] is 0L, "all connections to be gone");
        Assert.Equal(0L, (await chain.Relay.CountersAsync(mapping))["failed"]);
        await chain.Relay.ResultsAsync("unmap", mapping.ToUnmap());
        await assertReleased();

        async Task EchoAsync(Socket client, int seed)
        {
            var bytes = Net.RandomBytes(20_000, seed);
            var back = client.ReceiveExactlyAsync(bytes.Length);
            await client.SendAllAsync(bytes);
            var echo = await back;
            Assert.True(bytes.AsSpan().SequenceEqual(echo), $"connection {seed}");
        }
    }

    [Fact]
    public async Task A_server_that_refuses_resets_its_client_and_is_counted_and_logged()
    {
        await using var chain = await OpenAsync();
        var assertReleased = await chain.CountDescriptorsAsync();
        var mapping = await chain.Relay.MapAsync(Net.FreePort());
        for (var round = 0; round < 20; round++)
            await mapping.AssertResetAsync();

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["failed"] is 20L, "the failures to be counted");
        await Limits.UntilAsync(
            () => chain.Relay.Log.Contains($"ConnectionRefused: 127.0.0.1:{mapping.GuestPort} in the guest: nothing listens there", StringComparison.Ordinal),
            "the agent's reason to be logged");
        await chain.Relay.ResultsAsync("unmap", mapping.ToUnmap());
        await assertReleased();
    }

    [Fact]
    public async Task A_server_that_accepts_and_resets_resets_its_client()
    {
        await using var chain = await OpenAsync();
        var assertReleased = await chain.CountDescriptorsAsync();
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await chain.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        for (var round = 0; round < 20; round++)
        {
            var reset = mapping.AssertResetAsync();
            (await listener.AcceptConnectionAsync()).Reset();
            await reset;
        }

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
        await chain.Relay.ResultsAsync("unmap", mapping.ToUnmap());
        await assertReleased();
    }

    private protected Task<GuestChain> OpenAsync() => GuestChain.OpenAsync(kind);
}

public sealed class TcpLinkTests() : LinkTests("tcp");

public sealed class UnixLinkTests() : LinkTests("unix");

public sealed class UnixWithoutPassingLinkTests() : LinkTests(GuestLink.UnixWithoutPassing);

/// <summary>Skipped, with the reason, where vsock does not reach this machine itself; <c>.ci/vsock</c> runs them in a kernel where it does.</summary>
public sealed class VSockLinkTests() : LinkTests("vsock")
{
    protected override long Volume => 64L << 20;

    // That kernel has one processor, and each connection must be set up within the contract's ten seconds.
    protected override int ConnectionCount => 200;
}
