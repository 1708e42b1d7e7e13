using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>A key that is missing, of the wrong type or out of range: InvalidParams, naming the key and the place in params.</summary>
public sealed class InvalidParamsTests(SharedRelay shared) : IClassFixture<SharedRelay>
{
    private RelayUnderTest Relay => shared.Relay;

    [Theory]
    [InlineData("guestPort", null)]
    [InlineData("guestPort", 0)]
    [InlineData("guestPort", -1)]
    [InlineData("guestPort", 65536)]
    [InlineData("guestPort", long.MaxValue)]
    [InlineData("guestPort", ulong.MaxValue)]
    [InlineData("guestPort", "80")]
    [InlineData("guestPort", 80.0)]
    [InlineData("guestPort", true)]
    [InlineData("hostPort", -1)]
    [InlineData("hostPort", 65536)]
    [InlineData("hostPort", "80")]
    [InlineData("family", "4")]
    [InlineData("family", true)]
    [InlineData("protocol", 6)]
    [InlineData("address", 127)]
    [InlineData("address", "localhost")]
    [InlineData("address", "127.0.0.1.5")]
    [InlineData("address", "")]
    [InlineData("address", "::1")]
    [InlineData("idleMs", 60_000)]
    public async Task Map_names_the_bad(string key, object? value)
    {
        var good = new MsgMap { ["guestPort"] = 80 };
        var fault = await Relay.FailAsync("InvalidParams", "map", good, new MsgMap { ["guestPort"] = 80, [key] = value });
        Assert.Equal(1, fault.Index);
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
        Assert.Empty(await Relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task Map_names_the_missing_guestPort()
    {
        var fault = await Relay.FailAsync("InvalidParams", "map", new MsgMap { ["hostPort"] = 0 });
        Assert.Equal(0, fault.Index);
        Assert.Contains("guestPort", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("family", 5)]
    [InlineData("protocol", "sctp")]
    public async Task A_family_or_protocol_that_is_none_is_refused(string key, object value)
    {
        var response = await Relay.CallAsync("map", new MsgMap { ["guestPort"] = 80, [key] = value });
        Assert.Contains(response.Error!.Name, (string[])["InvalidParams", "NotSupported"]);
        Assert.Contains(key, response.Error.Message, StringComparison.Ordinal);
        Assert.Equal(0, response.Error.Index);
    }

    [Theory]
    [InlineData("drainMs", -1)]
    [InlineData("drainMs", 3_600_001)]
    [InlineData("drainMs", "5")]
    [InlineData("hostPort", null)]
    [InlineData("hostPort", 65536)]
    [InlineData("hostPort", "80")]
    [InlineData("address", 1)]
    [InlineData("address", "nowhere")]
    public async Task Unmap_names_the_bad(string key, object? value)
    {
        var mapping = await Relay.MapAsync(80);
        var bad = mapping.ToUnmap();
        bad[key] = value;
        var fault = await Relay.FailAsync("InvalidParams", "unmap", mapping.ToUnmap(), bad);
        Assert.Equal(1, fault.Index);
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
        await Relay.ResultAsync("unmap", mapping.ToUnmap());
        Assert.Empty(await Relay.ResultsAsync("list"));
    }

    [Theory]
    [InlineData("map")]
    [InlineData("unmap")]
    public async Task An_empty_array_is_refused(string method) => await Relay.FailAsync("InvalidParams", method);

    [Theory]
    [InlineData("map")]
    [InlineData("unmap")]
    public async Task An_item_that_is_not_a_map_is_refused(string method) =>
        Assert.Equal(0, (await Relay.FailAsync("InvalidParams", method, 8080)).Index);
}
