using System.Diagnostics;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

public sealed class UnmapTests
{
    [Fact]
    public async Task Uses_the_same_defaults_as_map()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(80);
        var result = Assert.Single(await relay.ResultsAsync("unmap", new MsgMap { ["hostPort"] = mapping.HostPort }));
        Assert.Equal(new MsgMap { ["active"] = 0L, ["reset"] = 0L }, Assert.IsType<MsgMap>(result));
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task The_port_is_free_to_be_bound_when_the_answer_arrives()
    {
        await using var relay = RelayUnderTest.Serve();
        var port = Net.FreePort();
        for (var round = 0; round < 50; round++)
        {
            var mapping = await relay.MapAsync(80, port, family: round % 2 == 0 ? 4 : 6);
            await relay.ResultAsync("unmap", mapping.ToUnmap());
            Assert.True(Net.CanListen(mapping.EndPoint), $"Round {round}: {mapping.Name} is still taken.");
        }
    }

    [Fact]
    public async Task Established_connections_continue_and_are_counted()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var result = Assert.IsType<MsgMap>(Assert.Single(await relay.ResultsAsync("unmap", pair.Mapping.ToUnmap())));
        Assert.Equal(1L, result["active"]);
        Assert.Equal(0L, result["reset"]);
        await pair.Mapping.EndPoint.AssertRefusedAsync();
        await pair.Client.SendAllAsync("still"u8.ToArray());
        Assert.Equal("still"u8.ToArray(), await pair.Guest.ReceiveExactlyAsync(5));
        await pair.Guest.SendAllAsync("here"u8.ToArray());
        pair.Guest.Shutdown(SocketShutdown.Send);
        Assert.Equal("here"u8.ToArray(), await pair.Client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task Drain_answers_as_soon_as_the_last_connection_has_ended_by_itself()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var drained = await relay.RequestAsync("unmap", Drain(pair.Mapping, 3_600_000));
        await relay.CallAsync("list").ContinueWith(list => Assert.Empty((object?[])list.Result.Result!), TaskScheduler.Default);
        await pair.Mapping.EndPoint.AssertRefusedAsync();
        pair.Client.Shutdown(SocketShutdown.Send);
        await pair.Guest.AssertEndAsync();
        pair.Guest.Shutdown(SocketShutdown.Send);
        await pair.Client.AssertEndAsync();
        AssertCounts(await relay.ResponseAsync(), drained, active: 0, reset: 0);
    }

    [Fact]
    public async Task Drain_resets_what_is_left_when_its_time_is_over()
    {
        await using var relay = RelayUnderTest.Serve();
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await relay.MapAsync(((System.Net.IPEndPoint)listener.LocalEndPoint!).Port);
        using var first = await RelayedPair.OpenAsync(mapping, listener);
        using var second = await RelayedPair.OpenAsync(mapping, listener);
        var clock = Stopwatch.StartNew();
        var drained = await relay.RequestAsync("unmap", Drain(mapping, 400));
        AssertCounts(await relay.ResponseAsync(), drained, active: 0, reset: 2);
        Assert.InRange(clock.ElapsedMilliseconds, 350, long.MaxValue);
        foreach (var socket in (Socket[])[first.Client, first.Guest, second.Client, second.Guest])
            await socket.AssertResetAsync();
    }

    [Fact]
    public async Task Drain_of_nothing_resets_all_and_answers_at_once()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var drained = await relay.RequestAsync("unmap", Drain(pair.Mapping, 0));
        AssertCounts(await relay.ResponseAsync(), drained, active: 0, reset: 1);
        await pair.Client.AssertResetAsync();
    }

    [Fact]
    public async Task Only_a_draining_unmap_is_answered_out_of_order()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var other = await relay.MapAsync(80);
        var drained = await relay.RequestAsync("unmap", Drain(pair.Mapping, 3_600_000));
        uint[] later = [await relay.RequestAsync("list"), await relay.RequestAsync("unmap", other.ToUnmap()), await relay.RequestAsync("hello")];
        foreach (var id in later)
            Assert.Equal(id, (await relay.ResponseAsync()).Id);

        pair.Dispose();
        AssertCounts(await relay.ResponseAsync(), drained, active: 0, reset: 0);
    }

    [Fact]
    public async Task The_port_can_be_mapped_again_while_its_old_connections_drain()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        using var pair = await RelayedPair.OpenAsync(relay);
        await relay.RequestAsync("unmap", Drain(pair.Mapping, 60_000));
        var again = await relay.MapAsync(guest.Port, hostPort: pair.Mapping.HostPort);
        await again.AssertEchoAsync();
        Assert.Equal(1L, (await relay.CountersAsync(again))["accepted"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_drain_that_the_end_of_the_relay_interrupts_is_answered_with_what_was_reset(bool byExitEvent)
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        using var pair = await RelayedPair.OpenAsync(relay);
        var id = await relay.RequestAsync("unmap", Drain(pair.Mapping, 600_000));
        await relay.ResultAsync("hello");
        if (byExitEvent)
            signal.Signal();
        else
            relay.CloseInput();

        AssertCounts(await relay.ResponseAsync(), id, active: 0, reset: 1);
        await pair.Client.AssertResetAsync();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Removes_none_when_one_is_unknown()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(80);
        var unknown = new Mapping("tcp", 4, "127.0.0.1", Net.FreePort(), 80);
        var fault = await relay.FailAsync("NotFound", "unmap", mapping.ToUnmap(), unknown.ToUnmap());
        Assert.Equal(1, fault.Index);
        Assert.Contains(unknown.Name, fault.Message, StringComparison.Ordinal);
        Assert.Equal(mapping, Mapping.Parse(Assert.Single(await relay.ResultsAsync("list"))));
    }

    [Fact]
    public async Task Removes_several_at_once_in_their_order()
    {
        await using var relay = RelayUnderTest.Serve();
        using var pair = await RelayedPair.OpenAsync(relay);
        var idle = await relay.MapAsync(80, family: 6);
        var results = await relay.ResultsAsync("unmap", idle.ToUnmap(), pair.Mapping.ToUnmap());
        Assert.Equal([0L, 1L], results.Select(result => Assert.IsType<MsgMap>(result)["active"]));
        Assert.Empty(await relay.ResultsAsync("list"));
    }

    private static MsgMap Drain(Mapping mapping, int milliseconds)
    {
        var item = mapping.ToUnmap();
        item["drainMs"] = milliseconds;
        return item;
    }

    private static void AssertCounts(Response response, uint id, long active, long reset)
    {
        Assert.Equal(id, response.Id);
        var counts = Assert.IsType<MsgMap>(Assert.Single(Assert.IsType<object?[]>(response.Result)));
        Assert.Equal((active, reset), ((long)counts["active"]!, (long)counts["reset"]!));
    }
}
