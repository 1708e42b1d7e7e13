using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class SubscribeTests
{
    private const int MaxWaiting = 1000;

    private static readonly string[] Names = ["connectionFailed", "mapped", "unmapped", "mapFailed", "agent"];

    [Fact]
    public async Task Is_a_capability_and_asks_for_all_events_by_default()
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Contains("subscribe", Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["capabilities"]));
        Assert.Equal(Names, await SubscribeAsync(relay));
        Assert.Equal(Names, await SubscribeAsync(relay, new MsgMap()));
        Assert.Equal(["mapped"], await SubscribeAsync(relay, new MsgMap { ["events"] = (string[])["mapped"] }));
        var fault = await relay.FailAsync("InvalidParams", "subscribe", new MsgMap { ["events"] = (string[])["mapped", "mopped"] });
        Assert.Contains("mopped", fault.Message, StringComparison.Ordinal);
        await relay.FailAsync("InvalidParams", "subscribe", new MsgMap { ["events"] = "mapped" });
    }

    [Fact]
    public async Task Reports_mappings_that_are_made_and_removed()
    {
        await using var relay = RelayUnderTest.Serve();
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await SubscribeAsync(relay);
        var mappings = await relay.MapAsync(new MsgMap { ["guestPort"] = 80 }, new MsgMap { ["guestPort"] = 81, ["family"] = 6 });
        await relay.ResultsAsync("unmap", [.. mappings.Reverse().Select(mapping => mapping.ToUnmap())]);
        foreach (var (name, mapping) in new[] { ("mapped", mappings[0]), ("mapped", mappings[1]), ("unmapped", mappings[1]), ("unmapped", mappings[0]) })
        {
            var item = await relay.EventAsync(name);
            Assert.Equal(mapping, Mapping.Parse(item));
            Assert.Equal(false, item["auto"]);
            Assert.InRange(Assert.IsType<long>(item["at"]), before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            Assert.Equal(Mapping.Keys.Concat(["event", "at", "auto"]).Order(), item.Keys.Order());
        }
    }

    [Fact]
    public async Task Reports_a_failed_connection_with_its_client_and_error()
    {
        await using var relay = RelayUnderTest.Serve();
        await SubscribeAsync(relay, new MsgMap { ["events"] = (string[])["connectionFailed"] });
        var mapping = await relay.MapAsync(Net.FreePort(), family: 6);
        using var client = await mapping.ConnectToBeResetAsync();
        var address = $"{client.LocalEndPoint}";
        var item = await relay.EventAsync("connectionFailed");
        Assert.Equal(mapping, Mapping.Parse(item));
        Assert.Equal(address, item["client"]);
        var error = Fault.Parse(item["error"]);
        Assert.Equal("ConnectionRefused", error.Name);
        Assert.Contains($"[::1]:{mapping.GuestPort}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sends_no_events_that_were_not_asked_for()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.MapAsync(80);
        await SubscribeAsync(relay, new MsgMap { ["events"] = (string[])["unmapped"] });
        var mapping = await relay.MapAsync(80);
        await relay.ResultsAsync("unmap", mapping.ToUnmap());
        Assert.Equal(mapping, Mapping.Parse(await relay.EventAsync("unmapped")));
        await SubscribeAsync(relay, new MsgMap { ["events"] = Array.Empty<string>() });
        await relay.ResultsAsync("unmap", (await relay.MapAsync(80)).ToUnmap());
        await SubscribeAsync(relay);
        mapping = await relay.MapAsync(80);
        Assert.Equal(mapping, Mapping.Parse(await relay.EventAsync("mapped")));
    }

    /// <summary>A thousand events are queued, in addition to those in the pipe, and the rest are counted.</summary>
    [Fact]
    public async Task A_parent_that_does_not_read_loses_events_and_no_answer()
    {
        var failures = Platform.IsWine ? 3_000 : 20_000;
        await using var relay = RelayUnderTest.Serve();
        await SubscribeAsync(relay);
        var mapping = await relay.MapAsync(Net.FreePort());
        Assert.Equal(mapping, Mapping.Parse(await relay.EventAsync("mapped")));
        await FailAsync(mapping, failures / 4);
        var memory = ProcessFigures.Memory(relay.Process);
        await FailAsync(mapping, failures - (failures / 4));
        Assert.InRange(ProcessFigures.Memory(relay.Process) - memory, long.MinValue, 4 << 20);

        // The answer comes, and then the queued events: at most a thousand more than the largest pipe can hold.
        await relay.RequestAsync("hello");
        var (received, lost, answered) = (0, 0L, false);
        while (!answered || received + lost < failures)
        {
            var message = (await relay.NextAsync())!.Value;
            if (message is not object?[] parts || parts is not [2L, "event", object?[] values])
            {
                Assert.Null(Response.Parse(message).Error);
                answered = true;
                continue;
            }

            var item = Assert.IsType<MsgMap>(values[0]);
            received += item["event"] is "connectionFailed" ? 1 : 0;
            lost += item["event"] is "lost" ? Assert.IsType<long>(item["count"]) : 0;
        }

        Assert.Equal(failures, received + lost);
        Assert.InRange(received, MaxWaiting, MaxWaiting + 1000);
    }

    private static Task FailAsync(Mapping mapping, int times) => Task.WhenAll(Enumerable.Range(0, 8).Select(async part =>
    {
        for (var i = part; i < times; i += 8)
            await mapping.AssertResetAsync();
    }));

    private static async Task<object?[]> SubscribeAsync(RelayUnderTest relay, params object?[] parameters) =>
        Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await relay.ResultAsync("subscribe", parameters))["events"]);
}
