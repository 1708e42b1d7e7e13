using System.Text;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>Any valid MessagePack encoding of a value is accepted; the relay itself writes the shortest.</summary>
public sealed class EncodingTests(SharedRelay shared) : IClassFixture<SharedRelay>
{
    private RelayUnderTest Relay => shared.Relay;

    [Theory]
    [InlineData("fixint", new byte[] { 0x50 })]
    [InlineData("uint8", new byte[] { 0xcc, 0x50 })]
    [InlineData("uint16", new byte[] { 0xcd, 0, 0x50 })]
    [InlineData("uint32", new byte[] { 0xce, 0, 0, 0, 0x50 })]
    [InlineData("uint64", new byte[] { 0xcf, 0, 0, 0, 0, 0, 0, 0, 0x50 })]
    [InlineData("int8", new byte[] { 0xd0, 0x50 })]
    [InlineData("int16", new byte[] { 0xd1, 0, 0x50 })]
    [InlineData("int32", new byte[] { 0xd2, 0, 0, 0, 0x50 })]
    [InlineData("int64", new byte[] { 0xd3, 0, 0, 0, 0, 0, 0, 0, 0x50 })]
    public async Task Accepts_80_as(string form, byte[] bytes)
    {
        var number = new MsgRaw(bytes);
        await Relay.SendAsync(MsgEncoder.Encode([new object?[] { 0, number, "map", new object?[] { new MsgMap { ["guestPort"] = number } } }]));
        var response = await Relay.ResponseAsync();
        Assert.True(response.Id == 80u, form);
        Assert.Equal(80, Mapping.Parse(Assert.Single(Assert.IsType<object?[]>(response.Result))).GuestPort);
    }

    [Theory]
    [InlineData("fixstr", new byte[] { 0xa0 })]
    [InlineData("str8", new byte[] { 0xd9, 0 })]
    [InlineData("str16", new byte[] { 0xda, 0, 0 })]
    [InlineData("str32", new byte[] { 0xdb, 0, 0, 0, 0 })]
    [InlineData("bin8", new byte[] { 0xc4, 0 })]
    [InlineData("bin16", new byte[] { 0xc5, 0, 0 })]
    [InlineData("bin32", new byte[] { 0xc6, 0, 0, 0, 0 })]
    public async Task Accepts_method_keys_and_values_as(string form, byte[] head)
    {
        MsgRaw Text(string text) => new([.. head[..^1], (byte)(head[^1] | text.Length), .. Encoding.ASCII.GetBytes(text)]);
        MsgRaw item = new([0x83, .. MsgEncoder.Encode(Text("guestPort"), 80, Text("address"), Text("127.0.0.1"), Text("protocol"), Text("tcp"))]);
        await Relay.SendAsync(MsgEncoder.Encode([new object?[] { 0, 7, Text("map"), new object?[] { item } }]));
        var response = await Relay.ResponseAsync();
        Assert.True(response.Error is null, $"{form}: {response.Error}");
        Assert.Equal(80, Mapping.Parse(Assert.Single(Assert.IsType<object?[]>(response.Result))).GuestPort);
    }

    [Theory]
    [InlineData("array16, map16", new byte[] { 0xdc, 0 }, new byte[] { 0xde, 0 })]
    [InlineData("array32, map32", new byte[] { 0xdd, 0, 0, 0 }, new byte[] { 0xdf, 0, 0, 0 })]
    public async Task Accepts_arrays_and_maps_as(string form, byte[] array, byte[] map)
    {
        MsgRaw request = new([
            .. array, 4, .. MsgEncoder.Encode(0, 9, "map"),
            .. array, 1,
            .. map, 1, .. MsgEncoder.Encode("guestPort", 80)]);
        await Relay.SendAsync(request.Bytes);
        var response = await Relay.ResponseAsync();
        Assert.True(response.Error is null, $"{form}: {response.Error}");
        Assert.Equal(9u, response.Id);
    }

    [Fact]
    public async Task Accepts_and_returns_the_largest_message_id()
    {
        await Relay.SendAsync(MsgEncoder.Encode([new object?[] { 0, uint.MaxValue, "list", Array.Empty<object?>() }]));
        Assert.Equal(uint.MaxValue, (await Relay.ResponseAsync()).Id);
    }

    [Fact]
    public async Task Writes_every_answer_in_the_shortest_form()
    {
        await using var guest = GuestServer.Echo();
        await Relay.RequestAsync("hello");
        await Relay.RequestAsync("map", new MsgMap { ["guestPort"] = 1 }, new MsgMap { ["guestPort"] = 200 }, new MsgMap { ["guestPort"] = guest.Port });
        await Relay.RequestAsync("list");
        await Relay.RequestAsync("map", new MsgMap());
        await Relay.RequestAsync("nothing");
        await Relay.SendAsync(MsgEncoder.Encode([new object?[] { 0, uint.MaxValue, "list", Array.Empty<object?>() }]));
        await Relay.SendAsync(MsgEncoder.Encode("not a message"));
        for (var i = 0; i < 7; i++)
        {
            var message = await Relay.NextAsync();
            Assert.Equal(MsgEncoder.Encode(message!.Value), message.Bytes);
        }
    }
}
