using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary>A parent that stops reading standard output delays only its own answers.</summary>
public sealed class SilentParentTests
{
    private const int Requests = 20_000;

    [Fact]
    public async Task Connections_continue_and_every_answer_is_there_when_the_parent_reads_again()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        using var old = await mapping.ConnectAsync();
        await old.AssertEchoAsync();
        var asking = AskAsync(relay);
        await Limits.PauseAsync();
        Assert.False(asking.IsCompleted, "The pipes held every answer: this parent did not block the relay.");

        var bytes = Net.RandomBytes(8 << 10);
        for (var round = 0; round < 200; round++)
        {
            await old.AssertEchoAsync(bytes);
            await mapping.AssertEchoAsync();
        }

        for (var id = 0u; id < Requests; id++)
            Assert.Equal(id, (await relay.ResponseAsync()).Id);

        await asking;
    }

    [Fact]
    public async Task The_exit_event_still_ends_the_relay_within_a_second()
    {
        using var signal = ExitSignal.Create();
        await using var relay = RelayUnderTest.Serve("--exit-event", signal.Number);
        using var pair = await RelayedPair.OpenAsync(relay);
        var asking = AskAsync(relay);
        await Limits.PauseAsync();
        await Limits.AssertEndsInTimeAsync(relay.Process.Id, signal.Signal);
        Assert.Equal(0, await relay.ExitAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => asking);
    }

    private static Task AskAsync(RelayUnderTest relay)
    {
        var requests = Enumerable.Range(0, Requests)
            .SelectMany(id => MsgEncoder.Encode([new object?[] { 0, id, "list", Array.Empty<object?>() }]));
        return Task.Run(() => relay.SendAsync([.. requests]));
    }
}
