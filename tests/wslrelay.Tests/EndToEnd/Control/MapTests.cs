using System.Net;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class MapTests
{
    [Fact]
    public async Task Fills_in_every_default_and_reports_the_port_really_bound()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var result = Assert.IsType<MsgMap>(Assert.Single(await relay.ResultsAsync("map", new MsgMap { ["guestPort"] = guest.Port })));
        Assert.Equal(Mapping.Keys.Order(), result.Keys.Order());
        var mapping = Mapping.Parse(result);
        Assert.Equal(new Mapping("tcp", 4, "127.0.0.1", mapping.HostPort, guest.Port), mapping);
        Assert.InRange(mapping.HostPort, 1, 65535);
        await mapping.AssertEchoAsync();
    }

    [Fact]
    public async Task Family_6_defaults_to_its_own_loopback_address()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo(family: 6);
        var mapping = await relay.MapAsync(guest.Port, family: 6);
        Assert.Equal(new Mapping("tcp", 6, "::1", mapping.HostPort, guest.Port), mapping);
        await mapping.AssertEchoAsync();
    }

    [Fact]
    public async Task Listens_on_the_requested_port()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var port = Net.FreePort();
        var mapping = await relay.MapAsync(guest.Port, hostPort: port);
        Assert.Equal(port, mapping.HostPort);
        await mapping.AssertEchoAsync();
    }

    [Fact]
    public async Task Listens_on_the_requested_loopback_address()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = (await relay.MapAsync(new MsgMap { ["address"] = "127.0.0.2", ["hostPort"] = Net.FreePort(), ["guestPort"] = guest.Port }))[0];
        Assert.Equal("127.0.0.2", mapping.Address);
        await mapping.AssertEchoAsync();
        await new IPEndPoint(IPAddress.Loopback, mapping.HostPort).AssertRefusedAsync();
    }

    [Fact]
    public async Task Maps_several_at_once_in_their_order()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var four = GuestServer.Content("four"u8.ToArray());
        await using var six = GuestServer.Content("six"u8.ToArray(), family: 6);
        var port = Net.FreePort(count: 2);
        var mappings = await relay.MapAsync(
            new MsgMap { ["family"] = 6, ["hostPort"] = port + 1, ["guestPort"] = six.Port },
            new MsgMap { ["hostPort"] = port, ["guestPort"] = four.Port },
            new MsgMap { ["family"] = 6, ["guestPort"] = six.Port },
            new MsgMap { ["guestPort"] = four.Port });
        Assert.Equal([6, 4, 6, 4], mappings.Select(mapping => mapping.Family));
        Assert.Equal([port + 1, port], mappings.Take(2).Select(mapping => mapping.HostPort));
        foreach (var mapping in mappings)
        {
            using var client = await mapping.ConnectAsync();
            Assert.Equal(mapping.Family == 6 ? "six"u8.ToArray() : "four"u8.ToArray(), await client.ReceiveToEndAsync());
        }
    }

    [Fact]
    public async Task Closes_all_of_a_request_that_fails_and_names_the_failing_one()
    {
        await using var relay = RelayUnderTest.Serve();
        var port = Net.FreePort(count: 3);
        var taken = await relay.MapAsync(80, hostPort: port + 2);
        var fault = await relay.FailAsync(
            "AddressInUse",
            "map",
            new MsgMap { ["hostPort"] = port, ["guestPort"] = 80 },
            new MsgMap { ["hostPort"] = port + 1, ["guestPort"] = 80 },
            new MsgMap { ["hostPort"] = port + 2, ["guestPort"] = 80 });
        Assert.Equal(2, fault.Index);
        Assert.Contains(taken.Name, fault.Message, StringComparison.Ordinal);
        Assert.True(Net.CanListen(Net.Loopback(4, port)), "The first was rolled back.");
        Assert.True(Net.CanListen(Net.Loopback(4, port + 1)), "The second was rolled back.");
        Assert.Equal(taken, Mapping.Parse(Assert.Single(await relay.ResultsAsync("list"))));
    }

    [Fact]
    public async Task Closes_all_of_a_request_whose_last_item_is_invalid()
    {
        await using var relay = RelayUnderTest.Serve();
        var port = Net.FreePort();
        var fault = await relay.FailAsync(
            "InvalidParams", "map", new MsgMap { ["hostPort"] = port, ["guestPort"] = 80 }, new MsgMap { ["hostPort"] = 0 });
        Assert.Equal(1, fault.Index);
        Assert.True(Net.CanListen(Net.Loopback(4, port)));
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Refuses_the_same_port_twice_in_one_request()
    {
        await using var relay = RelayUnderTest.Serve();
        var item = new MsgMap { ["hostPort"] = Net.FreePort(), ["guestPort"] = 80 };
        Assert.Equal(1, (await relay.FailAsync("AddressInUse", "map", item, item)).Index);
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Takes_nil_for_an_optional_key_as_its_default()
    {
        await using var relay = RelayUnderTest.Serve();
        var item = new MsgMap { ["protocol"] = null, ["family"] = null, ["address"] = null, ["hostPort"] = null, ["guestPort"] = 80 };
        var mapping = (await relay.MapAsync(item))[0];
        Assert.Equal(new Mapping("tcp", 4, "127.0.0.1", mapping.HostPort, 80), mapping);
    }

    [Fact]
    public async Task Ignores_unknown_keys_of_every_type()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.MapAsync(new MsgMap
        {
            ["guestPort"] = 80,
            ["comment"] = new MsgMap { ["deep"] = new object?[] { 1, -1, 1.5, true, null, "text", new byte[] { 1, 2 } } },
            ["timestamp"] = new MsgRaw(0xd6, 0xff, 1, 2, 3, 4),
            ["float"] = new MsgRaw(0xca, 0, 0, 0, 0),
        });
        Assert.Single(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Accepts_the_highest_ports()
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Equal(65535, (await relay.MapAsync(65535)).GuestPort);
    }
}
