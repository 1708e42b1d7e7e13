using Wslrelay.Tests.EndToEnd.Datagrams;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

public sealed class ExitEventTests
{
    [Theory]
    [InlineData("eventfd")]
    [InlineData("written pipe")]
    [InlineData("hung-up pipe")]
    [InlineData("pidfd")]
    [InlineData("manual-reset event")]
    [InlineData("auto-reset event")]
    public async Task Ends_with_0_on(string kind)
    {
        Assert.SkipUnless(
            kind.EndsWith(" event", StringComparison.Ordinal) == OperatingSystem.IsWindows(), $"An exit event of this system is no {kind}.");
        using var signal = ExitSignal.Create(kind);
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        using var pair = await RelayedPair.OpenAsync(relay);
        await Limits.PauseAsync();
        Assert.False(relay.Process.HasExited);
        signal.Signal();
        Assert.Equal(0, await relay.ExitAsync());
        Assert.Null(await relay.NextAsync());
        await pair.Client.AssertEndedAsync();
        Assert.True(Net.CanListen(pair.Mapping.EndPoint));
    }

    [Fact]
    public async Task Ends_where_it_was_signalled_before_the_start()
    {
        using var signal = ExitSignal.Create();
        signal.Signal();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task End_of_file_still_ends_the_relay()
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        relay.CloseInput();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Ends_within_a_second_with_a_thousand_connections_open()
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        await using var many = await ManyConnections.OpenAsync(relay, 1000);
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, signal.Signal);
        Assert.Equal(0, await relay.ExitAsync());
        Assert.All(many.Mappings, mapping => Assert.True(Net.CanListen(mapping.EndPoint), mapping.Name));
    }

    [Fact]
    public async Task Ends_within_a_second_under_load()
    {
        using var signal = ExitSignal.Create();
        using var stop = new CancellationTokenSource();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        using var pair = await RelayedPair.OpenAsync(relay);
        var load = Task.WhenAll(
            new ByteStream(1).SendUntilAsync(pair.Client, stop.Token), new ByteStream(2).SendUntilAsync(pair.Guest, stop.Token),
            pair.Client.DrainAsync(), pair.Guest.DrainAsync());
        using var datagrams = await DatagramLoad.StartAsync(relay);
        await Limits.PauseAsync();
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, signal.Signal);
        Assert.Equal(0, await relay.ExitAsync());
        datagrams.AssertPortFree();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(() => load);
    }

    [Fact]
    public async Task Does_not_wait_for_a_drain()
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number, "--drain-ms", "600000");
        using var pair = await RelayedPair.OpenAsync(relay);
        signal.Signal();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Fact]
    public async Task Ends_a_drain_that_end_of_file_has_begun()
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number, "--drain-ms", "600000");
        using var pair = await RelayedPair.OpenAsync(relay);
        relay.CloseInput();
        await Limits.UntilAsync(() => Net.CanListen(pair.Mapping.EndPoint), "the listener to stop");
        Assert.False(relay.Process.HasExited);
        signal.Signal();
        Assert.Equal(0, await relay.ExitAsync());
    }

    [Theory]
    [InlineData("999999")]
    [InlineData("-1")]
    [InlineData("event")]
    public async Task A_number_that_is_no_handle_is_a_usage_error(string number)
    {
        var run = await ProgramRun.OfRelayAsync("serve", "--exit-event", number);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--exit-event", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_descriptor_that_cannot_be_waited_for_is_a_usage_error()
    {
        Platform.OnLinuxOnly("Descriptors are Linux's.");
        var run = await ProgramRun.OfAsync(["/bin/sh", "-c", "exec \"$0\" serve --exit-event 9 9</etc/passwd", RelayProgram.Path]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--exit-event", run.Error, StringComparison.Ordinal);
    }
}
