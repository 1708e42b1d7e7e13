using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A server is reached on the family that the mapping names, or on whichever it listens on.</summary>
public sealed class GuestFamilyTests
{
    [Theory]
    [InlineData(4, 6, 6)]
    [InlineData(6, 4, 4)]
    [InlineData(4, 0, 4)]
    [InlineData(4, 0, 6)]
    [InlineData(6, 0, 4)]
    [InlineData(6, 0, 6)]
    public async Task A_direct_target_is_reached_on_the_family_it_listens_on(int family, int guestFamily, int serverFamily)
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Contains("guestFamily", Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["capabilities"]));
        await AssertFindsAsync(relay, family, guestFamily, serverFamily);
    }

    [Theory]
    [InlineData(4, 6, 6)]
    [InlineData(6, 0, 4)]
    [InlineData(4, 0, 6)]
    public async Task Through_the_agent(int family, int guestFamily, int serverFamily)
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        await AssertFindsAsync(chain.Relay, family, guestFamily, serverFamily);
    }

    [Fact]
    public async Task The_mappings_own_family_is_tried_first()
    {
        var port = Net.FreePort();
        await using var four = GuestServer.Content([4], 4, port);
        await using var six = GuestServer.Content([6], 6, port);
        await using var relay = RelayUnderTest.Serve();
        foreach (var family in (int[])[4, 6])
        {
            using var client = await (await MapAsync(relay, family, 0, port)).ConnectAsync();
            Assert.Equal([(byte)family], await client.ReceiveToEndAsync());
        }
    }

    [Fact]
    public async Task A_port_of_the_mapping_itself_is_skipped()
    {
        var port = Net.FreePort();
        await using var six = GuestServer.Echo(6, port);
        await using var relay = RelayUnderTest.Serve();
        var mapping = Assert.Single(await relay.MapAsync(new MsgMap { ["hostPort"] = port, ["guestPort"] = port, ["guestFamily"] = 0 }));
        await mapping.AssertEchoAsync();
    }

    [Fact]
    public async Task No_listener_on_either_family_is_one_failure()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await MapAsync(relay, 4, 0, Net.FreePort());
        await mapping.AssertResetAsync();
        await Limits.UntilAsync(async () => (await relay.CountersAsync(mapping))["failed"] is 1L, "the failure to be counted");
    }

    [Theory]
    [InlineData("guestFamily", 5)]
    [InlineData("guestFamily", "4")]
    [InlineData("proxy", 1)]
    [InlineData("proxy", true)]
    public async Task An_invalid_key_is_named(string key, object value)
    {
        await using var relay = RelayUnderTest.Serve();
        var fault = await relay.FailAsync("InvalidParams", "map", new MsgMap { ["guestPort"] = 80, [key] = value });
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_udp_mapping_has_no_header()
    {
        await using var relay = RelayUnderTest.Serve();
        var fault = await relay.FailAsync("InvalidParams", "map", new MsgMap { ["guestPort"] = 80, ["protocol"] = "udp", ["proxy"] = 0 });
        Assert.Contains("proxy", fault.Message, StringComparison.Ordinal);
    }

    private static async Task AssertFindsAsync(RelayUnderTest relay, int family, int guestFamily, int serverFamily)
    {
        await using var server = GuestServer.Echo(serverFamily, Net.FreePort());
        await (await MapAsync(relay, family, guestFamily, server.Port)).AssertEchoAsync();
    }

    private static async Task<Mapping> MapAsync(RelayUnderTest relay, int family, int guestFamily, int guestPort)
    {
        var result = Assert.IsType<MsgMap>(Assert.Single(
            await relay.ResultsAsync("map", new MsgMap { ["family"] = family, ["guestFamily"] = guestFamily, ["guestPort"] = guestPort })));
        Assert.Equal((long)guestFamily, result["guestFamily"]);
        return Mapping.Parse(result);
    }
}
