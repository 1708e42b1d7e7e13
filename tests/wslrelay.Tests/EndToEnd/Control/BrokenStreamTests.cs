using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>Bytes that are not MessagePack, objects too large or nested too deeply: the notification, the end, and exit code 3.</summary>
public sealed class BrokenStreamTests
{
    private const int LargestObject = 64 * 1024;
    private const int DeepestNesting = 16;

    [Fact]
    public async Task A_byte_that_MessagePack_never_uses_ends_the_session_after_all_earlier_answers()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(80, Net.FreePort());
        await relay.SendAsync([.. MsgEncoder.Encode([new object?[] { 0, 6, "list", Array.Empty<object?>() }]), 0xc1]);
        Assert.Equal(6u, (await relay.ResponseAsync()).Id);
        await AssertBrokenAsync(relay);
        Assert.True(Net.CanListen(mapping.EndPoint));
    }

    [Fact]
    public async Task Such_a_byte_inside_a_message_ends_the_session()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync([0x94, 0x00, 0x01, 0xc1]);
        await AssertBrokenAsync(relay);
    }

    [Fact]
    public async Task Nothing_after_the_broken_bytes_is_carried_out()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync([0xc1, .. MsgEncoder.Encode([new object?[] { 0, 6, "list", Array.Empty<object?>() }])]);
        await AssertBrokenAsync(relay);
    }

    [Fact]
    public async Task An_object_of_exactly_the_largest_size_is_accepted()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync(HelloOf(LargestObject));
        Assert.Null((await relay.ResponseAsync()).Error);
    }

    [Fact]
    public async Task An_object_of_one_byte_more_ends_the_session()
    {
        await using var relay = RelayUnderTest.Serve();
        await TrySendAsync(relay, HelloOf(LargestObject + 1));
        await AssertBrokenAsync(relay);
    }

    [Theory]
    [InlineData("bin32", new byte[] { 0xc6, 0xff, 0xff, 0xff, 0xff })]
    [InlineData("str32", new byte[] { 0xdb, 0x7f, 0xff, 0xff, 0xff })]
    [InlineData("ext32", new byte[] { 0xc9, 0x7f, 0xff, 0xff, 0xff, 0x01 })]
    [InlineData("array32", new byte[] { 0xdd, 0xff, 0xff, 0xff, 0xff })]
    [InlineData("map32", new byte[] { 0xdf, 0xff, 0xff, 0xff, 0xff })]
    public async Task A_huge_length_ends_the_session_without_memory_for_it(string form, byte[] head)
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.ResultAsync("hello");
        var before = ProcessFigures.Memory(relay.Process);
        await TrySendAsync(relay, head);
        var after = ProcessFigures.MemoryWhileItRuns(relay.Process) ?? before;
        Assert.True(after - before < 16 << 20, $"{form}: {after - before} bytes");
        await TrySendAsync(relay, new byte[LargestObject]);
        await AssertBrokenAsync(relay);
    }

    [Fact]
    public async Task Nesting_as_deep_as_allowed_is_accepted()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.SendAsync(HelloOfDepth(DeepestNesting));
        Assert.Null((await relay.ResponseAsync()).Error);
    }

    [Fact]
    public async Task Nesting_one_deeper_ends_the_session()
    {
        await using var relay = RelayUnderTest.Serve();
        await TrySendAsync(relay, HelloOfDepth(DeepestNesting + 1));
        await AssertBrokenAsync(relay);
    }

    private static async Task AssertBrokenAsync(RelayUnderTest relay)
    {
        Assert.Equal("InvalidParams", (await relay.NotificationAsync()).Name);
        Assert.Null(await relay.NextAsync());
        Assert.Equal(3, await relay.ExitAsync());
    }

    /// <summary>The relay may end before it has read everything.</summary>
    private static async Task TrySendAsync(RelayUnderTest relay, byte[] bytes)
    {
        try
        {
            await relay.SendAsync(bytes);
        }
        catch (IOException)
        {
            // The test checks its exit code.
        }
    }

    private static byte[] Hello(object? unknown) =>
        MsgEncoder.Encode([new object?[] { 0, 1, "hello", new object?[] { new MsgMap { ["unknown"] = unknown } } }]);

    private static byte[] HelloOf(int size)
    {
        const int Sample = 60_000;
        var padding = size - (Hello(new byte[Sample]).Length - Sample);
        var hello = Hello(new byte[padding]);
        Assert.Equal(size, hello.Length);
        return hello;
    }

    private static byte[] HelloOfDepth(int depth)
    {
        // The request, its params and the map in them are three; a scalar adds none.
        object? value = 1;
        for (var i = 3; i < depth; i++)
            value = new[] { value };

        return Hello(value);
    }
}
