using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Behaviour that users of other relays rely on.</summary>
public sealed class MappingBehaviourTests
{
    [Fact]
    public async Task A_mapped_port_serves_the_exact_content()
    {
        await using var relay = RelayUnderTest.Serve();
        var content = Net.RandomBytes(12_345);
        await using var guest = GuestServer.Content(content);
        using var client = await (await relay.MapAsync(guest.Port)).ConnectAsync();
        Assert.Equal(content, await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task IPv4_and_IPv6_on_one_number_coexist_and_unmapping_one_leaves_the_other()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var fourGuest = GuestServer.Content("4"u8.ToArray());
        await using var sixGuest = GuestServer.Content("6"u8.ToArray(), family: 6);
        var port = Net.FreePort();
        var four = await relay.MapAsync(fourGuest.Port, port);
        var six = await relay.MapAsync(sixGuest.Port, port, family: 6);
        await AssertServesAsync(four, "4");
        await AssertServesAsync(six, "6");
        await relay.ResultAsync("unmap", four.ToUnmap());
        await four.EndPoint.AssertRefusedAsync();
        await AssertServesAsync(six, "6");
    }

    [Fact]
    public async Task A_mapping_of_v6_alone_refuses_v4()
    {
        await using var relay = RelayUnderTest.Serve("--allow-remote");
        await using var guest = GuestServer.Echo(family: 6);
        var loopback = await relay.MapAsync(guest.Port, Net.FreePort(), family: 6);
        await Net.Loopback(4, loopback.HostPort).AssertRefusedAsync();
        var wildcard = (await relay.MapAsync(
            new MsgMap { ["family"] = 6, ["address"] = "::", ["hostPort"] = Net.FreePort(), ["guestPort"] = guest.Port }))[0];
        await (wildcard with { Address = "::1" }).AssertEchoAsync();
        await Net.Loopback(4, wildcard.HostPort).AssertRefusedAsync();
    }

    [Fact]
    public async Task After_unmap_a_connect_is_refused()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port, Net.FreePort());
        await mapping.AssertEchoAsync();
        await relay.ResultAsync("unmap", mapping.ToUnmap());
        await mapping.EndPoint.AssertRefusedAsync();
    }

    [Fact]
    public async Task A_port_can_be_mapped_again_after_it_was_unmapped()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var port = Net.FreePort();
        for (var round = 0; round < 20; round++)
        {
            var mapping = await relay.MapAsync(guest.Port, port);
            await mapping.AssertEchoAsync();
            await relay.ResultAsync("unmap", mapping.ToUnmap());
        }
    }

    [Fact]
    public async Task A_hundred_consecutive_connections_work()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        for (var i = 0; i < 100; i++)
            await mapping.AssertEchoAsync();

        Assert.Equal(100L, (await relay.CountersAsync(mapping))["accepted"]);
    }

    [Fact]
    public async Task The_guest_of_family_6_is_reached_over_6_only()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo(family: 6, port: Net.FreePort());
        await (await relay.MapAsync(guest.Port, family: 6)).AssertEchoAsync();
        await (await relay.MapAsync(guest.Port, family: 4)).AssertResetAsync();
    }

    [Fact]
    public async Task A_direct_target_with_a_host_reaches_that_host()
    {
        await using var relay = RelayUnderTest.Serve("--target", "direct:127.0.0.9");
        using var listener = Net.Listen(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
        var mapping = await relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        using var pair = await RelayedPair.OpenAsync(mapping, listener);
        await pair.Client.SendAllAsync("there"u8.ToArray());
        Assert.Equal("there"u8.ToArray(), await pair.Guest.ReceiveExactlyAsync(5));
    }

    [Fact]
    public async Task Connections_of_an_ended_relay_do_not_keep_its_ports_from_the_next()
    {
        var port = Net.FreePort();
        await using var guest = GuestServer.Echo();
        for (var round = 0; round < 3; round++)
        {
            await using var relay = RelayUnderTest.Serve();
            var mapping = await relay.MapAsync(guest.Port, port);
            await mapping.AssertEchoAsync();
            using var open = await mapping.ConnectAsync();
            await open.AssertEchoAsync();
            relay.CloseInput();
            Assert.Equal(0, await relay.ExitAsync());
        }
    }

    private static async Task AssertServesAsync(Mapping mapping, string content)
    {
        using var client = await mapping.ConnectAsync();
        Assert.Equal(System.Text.Encoding.ASCII.GetBytes(content), await client.ReceiveToEndAsync());
    }
}
