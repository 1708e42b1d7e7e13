using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A target that refuses or does not answer resets the client; the reason is logged and counted in failed.</summary>
public sealed class UnreachableTargetTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task A_target_that_refuses_resets_the_client_at_once(int family)
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(Net.FreePort(), family: family);
        await mapping.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
        await Limits.UntilAsync(() => relay.Log.Contains("ConnectionRefused", StringComparison.Ordinal), "the reason to be logged");
    }

    [Fact]
    public async Task A_target_that_does_not_answer_within_ten_seconds_resets_the_client()
    {
        Platform.OnLinuxOnly("Only Linux leaves a full backlog without an answer.");
        await using var relay = RelayUnderTest.Serve();
        using var full = Net.Listen(Net.Loopback(4), backlog: 0);
        var target = (IPEndPoint)full.LocalEndPoint!;

        using var first = await full.FillBacklogAsync();
        var mapping = await relay.MapAsync(target.Port);
        var clock = Stopwatch.StartNew();
        await mapping.AssertResetAsync();
        Limits.AssertTook(clock, 10);
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
        await Limits.UntilAsync(() => relay.Log.Contains("TimedOut", StringComparison.Ordinal), "the reason to be logged");
    }

    [Fact]
    public async Task A_mapping_outlives_its_server_and_serves_the_next_one()
    {
        await using var relay = RelayUnderTest.Serve();
        Mapping mapping;
        var port = Net.FreePort();
        await using (var first = GuestServer.Content("first"u8.ToArray(), port: port))
        {
            mapping = await relay.MapAsync(port);
            using var client = await mapping.ConnectAsync();
            Assert.Equal("first"u8.ToArray(), await client.ReceiveToEndAsync());
        }

        await mapping.AssertResetAsync();

        await using var next = GuestServer.Content("next"u8.ToArray(), port: port);
        using var again = await mapping.ConnectAsync();
        Assert.Equal("next"u8.ToArray(), await again.ReceiveToEndAsync());
    }

    [Fact]
    public async Task A_client_that_gives_up_while_the_target_does_not_answer_harms_nothing()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        for (var i = 0; i < 200; i++)
            (await mapping.ConnectAsync()).Reset();

        await mapping.AssertEchoAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["active"] is 0L, "the connections to be gone");
    }
}
