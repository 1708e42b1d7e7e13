using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using static Wslrelay.Tests.EndToEnd.Auto.WatchedGuest;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>The rules of section 8: what is mapped, what is not, and how a parent's own mappings take precedence.</summary>
public sealed class AutoTests
{
    [Fact]
    public async Task Auto_is_a_capability_that_needs_an_agent()
    {
        await using var direct = RelayUnderTest.Serve();
        Assert.Contains("auto", Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await direct.ResultAsync("hello"))["capabilities"]));
        await direct.FailAsync("NotSupported", "auto", new MsgMap());
        await using var wsl = RelayUnderTest.Serve("--target", "tcp:127.0.0.1:1", "--guest-protocol", "wsl");
        await wsl.FailAsync("NotSupported", "auto", new MsgMap());
        await wsl.ResultAsync("auto");
    }

    [Theory]
    [InlineData("ports", "80,")]
    [InlineData("ports", "0")]
    [InlineData("ports", "1-65536")]
    [InlineData("ports", "9-8")]
    [InlineData("ports", 80)]
    [InlineData("exclude", "all")]
    [InlineData("udp", "no")]
    public async Task An_invalid_key_is_named(string key, object value)
    {
        await using var guest = new WatchedGuest();
        var fault = await guest.Relay.FailAsync("InvalidParams", "auto", new MsgMap { [key] = value });
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
        await guest.Relay.FailAsync("InvalidParams", "auto", 80);
    }

    [Fact]
    public async Task Datagrams_are_mapped_where_that_is_asked_for()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(2);
        MsgMap[] listeners = [Listener(port), Listener(port, protocol: "udp"), Listener(port + 1, "::", protocol: "udp"), Listener(port + 1, protocol: "sctp")];
        Mapping[] datagrams = [.. ((Mapping[])[Of(4, port), Of(4, port + 1), Of(6, port + 1)]).Select(mapping => mapping with { Protocol = "udp" })];
        Assert.Equal([Of(4, port)], (await guest.BeginAsync(null, listeners)).Mapped);
        var (mapped, _) = await guest.BeginAsync(new MsgMap { ["udp"] = true }, listeners);
        Assert.Equal([Of(4, port), .. datagrams], mapped);

        // Not any more once datagrams are no longer asked for.
        Assert.Equal([Of(4, port)], (await guest.BeginAsync(null, listeners)).Mapped);
        await guest.UntilListAsync(Of(4, port).Name);
    }

    [Fact]
    public async Task Listeners_reachable_on_loopback_are_mapped_to_the_same_port()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(7);
        string[] addresses = ["127.0.0.1", "0.0.0.0", "::1", "::", "::", "192.168.1.2", "fe80::1"];
        var (mapped, failed) = await guest.BeginAsync(null, [.. addresses.Select((address, i) => Listener(port + i, address, v6only: i == 4)), Listener(1023)]);
        Mapping[] expected =
        [
            Of(4, port), Of(4, port + 1), Of(6, port + 2), Of(4, port + 3), Of(6, port + 3), Of(6, port + 4),
        ];
        Assert.Equal(expected, mapped);
        Assert.Empty(failed);
        Assert.All(await guest.Relay.ResultsAsync("list"), entry => Assert.Equal(true, ((MsgMap)entry!)["auto"]));
        Assert.Equal(expected.Select(mapping => mapping.Name).Order(), (await guest.ListAsync()).Order());

        // Ports that no longer match are unmapped, and those that now match are mapped.
        await guest.ReportAsync(Listener(port + 3, "127.0.0.1"), Listener(port + 6));
        await guest.UntilListAsync(Of(4, port + 3).Name, Of(4, port + 6).Name);

        // It leaves the list as its listener begins to close.
        await Limits.UntilAsync(() => Net.CanListen(Of(6, port + 3).EndPoint), "the listener to be closed");
        await Of(6, port + 3).EndPoint.AssertRefusedAsync();

        // The end of auto removes every automatic mapping.
        Assert.IsType<MsgMap>(await guest.Relay.ResultAsync("auto"));
        Assert.Empty(await guest.ListAsync());
        Assert.True(Net.CanListen(Net.Loopback(4, port + 6)));
        await guest.Watch!.AssertEndedAsync();
    }

    [Fact]
    public async Task Only_ports_that_are_selected_are_mapped_and_the_selection_can_change()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(4);
        var (mapped, _) = await guest.BeginAsync(
            new MsgMap { ["ports"] = $"{port},{port + 1}-{port + 2}", ["exclude"] = $"{port + 1}" }, [.. Enumerable.Range(port, 4).Select(number => Listener(number))]);
        Assert.Equal([Of(4, port), Of(4, port + 2)], mapped);
        (mapped, _) = await guest.AnswerAsync(await guest.Relay.RequestAsync("auto", new MsgMap { ["ports"] = $"{port + 2}-{port + 3}" }));
        Assert.Equal([Of(4, port + 2), Of(4, port + 3)], mapped);
        Assert.Equal([Of(4, port + 2).Name, Of(4, port + 3).Name], await guest.ListAsync());
    }

    [Fact]
    public async Task Events_report_mappings_that_come_and_go()
    {
        await using var guest = new WatchedGuest();
        await guest.Relay.ResultAsync("subscribe");
        var port = Net.FreePort();
        await guest.BeginAsync(null, Listener(port, program: "node"));
        Assert.Equal("up", (await guest.Relay.EventAsync("agent"))["state"]);
        var item = await guest.Relay.EventAsync("mapped");
        Assert.Equal((Of(4, port), (object?)true, (object?)"node"), (Mapping.Parse(item), item["auto"], item["program"]));
        await guest.ReportAsync();
        item = await guest.Relay.EventAsync("unmapped");
        Assert.Equal((Of(4, port), (object?)true), (Mapping.Parse(item), item["auto"]));
    }

    [Fact]
    public async Task A_port_that_the_host_refuses_is_reported_once_and_tried_again()
    {
        await using var guest = new WatchedGuest();
        await guest.Relay.ResultAsync("subscribe", new MsgMap { ["events"] = (string[])["mapFailed", "mapped"] });
        var port = Net.FreePort(3);
        using (Net.Listen(Net.Loopback(4, port)))
        {
            var (mapped, failed) = await guest.BeginAsync(null, Listener(port), Listener(port + 1));
            Assert.Equal([Of(4, port + 1)], mapped);
            var failure = Assert.Single(failed);
            Assert.Equal(Of(4, port), Mapping.Parse(failure["mapping"]));
            Assert.Equal("AddressInUse", Fault.Parse(failure["error"]).Name);
            var item = await guest.Relay.EventAsync("mapFailed");
            Assert.Equal(Of(4, port), Mapping.Parse(item));
            Assert.Equal("AddressInUse", Fault.Parse(item["error"]).Name);
            Assert.Equal(Of(4, port + 1), Mapping.Parse(await guest.Relay.EventAsync("mapped")));

            // A mapping that a parent has taken over and unmapped is not tried again, whether or not the guest has reported meanwhile.
            var own = await guest.Relay.MapAsync(81, port + 1);
            Assert.Equal(own, Mapping.Parse(await guest.Relay.EventAsync("mapped")));
            await guest.ReportAsync(Listener(port), Listener(port + 1), Listener(port + 2));
            Assert.Equal(Of(4, port + 2), Mapping.Parse(await guest.Relay.EventAsync("mapped")));
            await guest.Relay.ResultsAsync("unmap", own.ToUnmap());

            // Longer than the time after which it would be tried again.
            await Limits.PauseAsync(6000);
        }

        Assert.Equal(Of(4, port), Mapping.Parse(await guest.Relay.EventAsync("mapped")));
        await guest.UntilListAsync(Of(4, port).Name, Of(4, port + 2).Name);
    }

    [Fact]
    public async Task A_parents_own_mapping_has_precedence_and_replaces_an_automatic_one()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(2);
        await guest.Relay.MapAsync(80, port);
        var (mapped, failed) = await guest.BeginAsync(null, Listener(port), Listener(port + 1));
        Assert.Equal([Of(4, port + 1)], mapped);
        Assert.Empty(failed);

        // Two mappings of one key are an error, and then neither takes over.
        var map = new MsgMap { ["hostPort"] = port + 1, ["guestPort"] = 81 };
        Assert.Equal(1, (await guest.Relay.FailAsync("AddressInUse", "map", map, map)).Index);
        Assert.Equal(true, (await guest.Relay.CountersAsync(Of(4, port + 1)))["auto"]);
        var own = await guest.Relay.MapAsync(81, port + 1);
        Assert.Equal(Of(4, port + 1) with { GuestPort = 81 }, own);
        Assert.Equal(false, (await guest.Relay.CountersAsync(own))["auto"]);

        // New connections follow the parent's mapping, which stays after the guest's listener has closed. Once it is unmapped, the port is mapped
        // automatically again with the next listener.
        using (await own.ConnectToBeResetAsync())
        {
            await guest.ReportAsync(Listener(port));
            await guest.Relay.ResultsAsync("unmap", own.ToUnmap());
        }

        await guest.ReportAsync(Listener(port + 1));
        await guest.UntilListAsync(Of(4, port).Name, Of(4, port + 1).Name);
        Assert.Equal(true, (await guest.Relay.CountersAsync(Of(4, port + 1)))["auto"]);
    }

    [Fact]
    public async Task An_automatic_mapping_that_is_unmapped_comes_back_with_its_server()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(2);
        await guest.BeginAsync(null, Listener(port));
        await guest.Relay.ResultsAsync("unmap", Of(4, port).ToUnmap());
        await guest.ReportAsync(Listener(port), Listener(port + 1));
        await guest.UntilListAsync(Of(4, port + 1).Name);
        await guest.ReportAsync(Listener(port + 1));
        await Limits.PauseAsync();
        await guest.ReportAsync(Listener(port), Listener(port + 1));
        await guest.UntilListAsync(Of(4, port).Name, Of(4, port + 1).Name);
    }

    private static Mapping Of(int family, int port) => new("tcp", family, family == 6 ? "::1" : "127.0.0.1", port, port);
}
