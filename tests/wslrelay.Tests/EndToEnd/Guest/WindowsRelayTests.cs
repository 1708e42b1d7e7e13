using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>
/// The Windows relay with the Linux agent, as they are deployed, where WSLRELAY_PROGRAM is a script that starts the Windows relay. Looks at neither
/// process, only at the connections through them.
/// </summary>
public sealed class WindowsRelayTests
{
    [Fact]
    public async Task Bytes_go_both_ways_at_once_and_end_one_after_the_other()
    {
        const long Size = 32L << 20;
        await using var chain = await GuestChain.OpenAsync("tcp");
        foreach (var family in (int[])[4, 6])
        {
            using var pair = await chain.OpenPairAsync(family);
            var (toGuest, toHost) = (new ByteStream(1), new ByteStream(2));
            var received = Task.WhenAll(toGuest.ReceiveToEndAsync(pair.Guest), toHost.ReceiveToEndAsync(pair.Client));
            await Task.WhenAll(toGuest.SendAsync(pair.Client, 0, Size), toHost.SendAsync(pair.Guest, 0, Size));
            pair.Client.Shutdown(SocketShutdown.Send);
            pair.Guest.Shutdown(SocketShutdown.Send);
            Assert.All(await received, count => Assert.Equal(Size, count));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_other_direction_continues_after_an_end(bool clientEndsFirst)
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        using var pair = await chain.OpenPairAsync();
        var (first, second) = pair.From(client: clientEndsFirst);
        await Promises.EndWithoutAByteAsync(first, second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_is_passed_on(bool byClient)
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        for (var round = 0; round < 10; round++)
        {
            using var pair = await chain.OpenPairAsync();
            var (first, second) = pair.From(client: byClient);
            first.Reset();
            await AssertResetAsync(second);
        }
    }

    [Fact]
    public async Task A_server_that_refuses_resets_its_client_for_the_agents_reason()
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        var mapping = await chain.Relay.MapAsync(Net.FreePort());
        using (var client = await mapping.ConnectAsync())
        {
            await AssertResetAsync(client);
        }

        await Limits.UntilAsync(async () => (await chain.Relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
        await Limits.UntilAsync(() => chain.Relay.Log.Contains("nothing listens there", StringComparison.Ordinal), "the agent's reason to be logged");
    }

    [Fact]
    public async Task Two_hundred_connections_at_once_each_get_their_own_bytes()
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        await using var server = GuestServer.Echo();
        var mapping = await chain.Relay.MapAsync(server.Port);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(EchoAsync));
        Assert.Equal(0L, (await chain.Relay.CountersAsync(mapping))["failed"]);

        async Task EchoAsync(int seed)
        {
            using var client = await mapping.ConnectAsync();
            var bytes = Net.RandomBytes(50_000, seed);
            var back = client.ReceiveExactlyAsync(bytes.Length);
            await client.SendAllAsync(bytes);
            var echo = await back;
            Assert.True(bytes.AsSpan().SequenceEqual(echo), $"connection {seed}");
        }
    }

    private static async Task AssertResetAsync(Socket socket)
    {
        if (!GuestLink.RelayIsWindows)
        {
            await socket.AssertResetAsync();
            return;
        }

        // Wine ends the sending of a socket just before it closes it with a reset: that may be read first, and the reset comes after it.
        await socket.AssertEndedAsync();
        await Limits.UntilAsync(() => IsReset(socket), "the reset after the end");
    }

    private static bool IsReset(Socket socket)
    {
        try
        {
            return (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0 || socket.Send(new byte[1]) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
