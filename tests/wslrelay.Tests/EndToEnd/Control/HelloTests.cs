using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class HelloTests
{
    [Fact]
    public async Task Reports_name_version_protocol_pid_target_and_capabilities()
    {
        await using var relay = RelayUnderTest.Serve();
        var hello = Assert.IsType<MsgMap>(await relay.ResultAsync("hello"));
        Assert.Equal("wslrelay", hello["name"]);
        Assert.Matches(@"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$", Assert.IsType<string>(hello["version"]));
        Assert.Equal(1L, hello["protocol"]);
        Assert.Equal((long)relay.Process.Id, hello["pid"]);
        Assert.Equal("direct", hello["target"]);
        Assert.Contains("tcp", Assert.IsType<object?[]>(hello["capabilities"]));
        Assert.Contains("udp", Assert.IsType<object?[]>(hello["capabilities"]));
    }

    [Fact]
    public async Task Accepts_the_protocol_it_speaks_and_ignores_unknown_keys()
    {
        await using var relay = RelayUnderTest.Serve();
        var hello = Assert.IsType<MsgMap>(await relay.ResultAsync("hello", new MsgMap { ["protocol"] = 1, ["client"] = "test", ["n"] = null }));
        Assert.Equal(1L, hello["protocol"]);
    }

    [Fact]
    public async Task Refuses_a_protocol_it_does_not_speak_and_continues()
    {
        await using var relay = RelayUnderTest.Serve();
        await relay.FailAsync("NotSupported", "hello", new MsgMap { ["protocol"] = 2 });
        await relay.ResultAsync("hello", new MsgMap { ["protocol"] = 1 });
    }

    [Fact]
    public async Task Refuses_a_protocol_of_the_wrong_type_by_its_key()
    {
        await using var relay = RelayUnderTest.Serve();
        var fault = await relay.FailAsync("InvalidParams", "hello", new MsgMap { ["protocol"] = "one" });
        Assert.Contains("protocol", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_the_target_it_was_given()
    {
        await using var relay = RelayUnderTest.Serve("--target", "direct:127.0.0.1");
        Assert.Equal("direct:127.0.0.1", Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["target"]);
    }

    [Fact]
    public async Task May_be_left_out()
    {
        await using var relay = RelayUnderTest.Serve();
        Assert.Empty(await relay.ResultsAsync("list"));
    }
}
