using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>The stream of messages: order, pipelining, and objects that are no messages, after which it goes on.</summary>
public sealed class StreamTests(SharedRelay shared) : IClassFixture<SharedRelay>
{
    private static readonly Dictionary<string, object?> NoMessages = new()
    {
        ["nil"] = null,
        ["true"] = true,
        ["integer"] = 42,
        ["float"] = 1.5,
        ["text"] = "map",
        ["bin"] = new byte[] { 1, 2, 3 },
        ["ext"] = new MsgRaw(0xd4, 1, 2),
        ["map"] = new MsgMap { ["method"] = "list" },
        ["empty array"] = Array.Empty<object?>(),
        ["type alone"] = new object?[] { 0 },
        ["unknown type"] = new object?[] { 3, 1, "list", Array.Empty<object?>() },
        ["type is text"] = new object?[] { "0", 1, "list", Array.Empty<object?>() },
        ["negative id"] = new object?[] { 0, -1, "list", Array.Empty<object?>() },
        ["id of 33 bits"] = new object?[] { 0, 1L << 32, "list", Array.Empty<object?>() },
        ["id is text"] = new object?[] { 0, "1", "list", Array.Empty<object?>() },
        ["method is integer"] = new object?[] { 0, 1, 2, Array.Empty<object?>() },
        ["too short"] = new object?[] { 0, 1, "list" },
        ["too long"] = new object?[] { 0, 1, "list", Array.Empty<object?>(), null },
        ["params are a map"] = new object?[] { 0, 1, "list", new MsgMap() },
    };

    public static TheoryData<string> NoMessageNames => [.. NoMessages.Keys];

    [Theory]
    [MemberData(nameof(NoMessageNames))]
    public async Task What_is_no_message_is_notified_and_the_stream_goes_on(string name)
    {
        var relay = shared.Relay;
        await relay.SendAsync(MsgEncoder.Encode([NoMessages[name]]));
        Assert.Equal("InvalidParams", (await relay.NotificationAsync()).Name);
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Text_typed_by_hand_is_notified_byte_by_byte_and_the_stream_goes_on()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync("hello\n"u8.ToArray());
        for (var i = 0; i < 6; i++)
            await relay.NotificationAsync();

        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task A_notification_of_the_parent_gets_no_answer()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync(MsgEncoder.Encode([new object?[] { 2, "anything", Array.Empty<object?>() }]));
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task A_request_may_arrive_byte_by_byte()
    {
        await using var relay = RelayUnderTest.Serve();
        foreach (var value in MsgEncoder.Encode([new object?[] { 0, 5, "map", new object?[] { new MsgMap { ["guestPort"] = 80 } } }]))
            await relay.SendAsync([value]);

        Assert.Equal(5u, (await relay.ResponseAsync()).Id);
    }

    [Fact]
    public async Task Ten_thousand_pipelined_requests_are_answered_in_their_order()
    {
        await using var relay = RelayUnderTest.Serve();
        const int Count = 10_000;
        string[] methods = ["hello", "list", "unknown", "map", "unmap"];
        var requests = Enumerable.Range(0, Count)
            .SelectMany(id => MsgEncoder.Encode([new object?[] { 0, id, methods[id % methods.Length], Array.Empty<object?>() }]));
        var sending = relay.SendAsync([.. requests]);
        for (var id = 0u; id < Count; id++)
        {
            var response = await relay.ResponseAsync();
            Assert.Equal(id, response.Id);
            Assert.Equal(id % methods.Length < 2, response.Error is null);
        }

        await sending;
    }

    [Fact]
    public async Task Requests_sent_together_with_the_end_of_file_are_still_carried_out()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.RequestAsync("hello");
        await relay.RequestAsync("list");
        relay.CloseInput();
        Assert.Null((await relay.ResponseAsync()).Error);
        Assert.Null((await relay.ResponseAsync()).Error);
        Assert.Null(await relay.NextAsync());
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Standard_output_carries_nothing_but_answers_whatever_happens()
    {
        await using var relay = RelayUnderTest.Serve("--log-level", "debug");
        using (var pair = await RelayedPair.OpenAsync(relay))
        {
            pair.Client.Reset();
            await pair.Guest.AssertResetAsync();
            await (await relay.MapAsync(Net.FreePort())).AssertResetAsync();
        }

        await relay.FailAsync("InvalidParams", "map", 1);
        relay.CloseInput();
        Assert.Null(await relay.NextAsync());
        Assert.Equal(0, await relay.ExitAsync());
        Assert.NotEmpty(relay.Log);
    }
}
