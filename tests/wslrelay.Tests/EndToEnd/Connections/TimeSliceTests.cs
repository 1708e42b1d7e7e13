using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>The time slice that the relay asks the scheduler for.</summary>
public sealed class TimeSliceTests
{
    // Each takes at least one turn, and the relay waits for a thousand turns without a connection.
    private const int RoundTrips = 1500;

    [Fact]
    public async Task Is_longer_than_usual_while_no_connection_begins()
    {
        Platform.OnLinuxOnly("The time slice is set by sched_setattr.");
        if (Environment.GetEnvironmentVariable("WSLRELAY_CALLS") == "single")
            Assert.Skip("The relay does not ask the system.");

        await using var relay = RelayUnderTest.ServeOver(1);
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var usual = Libc.TimeSlice(relay.Process.Id);
        if (usual == 0)
            Assert.Skip("This kernel tells no time slice: it is older than 6.12.");

        using var client = await mapping.ConnectAsync();
        for (var roundTrip = 0; roundTrip < RoundTrips; roundTrip++)
            await client.AssertEchoAsync();

        Assert.Equal(4 * usual, Libc.TimeSlice(relay.Process.Id));
        await mapping.AssertEchoAsync();
        Assert.Equal(usual, Libc.TimeSlice(relay.Process.Id));
    }

    [Fact]
    public async Task Is_not_touched_where_the_user_has_chosen_another_policy()
    {
        Platform.OnLinuxOnly("The time slice is set by sched_setattr.");
        const int Batch = 3;
        await using var relay = RelayUnderTest.ServeOver(1);
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        Libc.SetPolicy(relay.Process.Id, Batch);
        var usual = Libc.TimeSlice(relay.Process.Id);
        using var client = await mapping.ConnectAsync();
        for (var roundTrip = 0; roundTrip < RoundTrips; roundTrip++)
            await client.AssertEchoAsync();

        Assert.Equal(usual, Libc.TimeSlice(relay.Process.Id));
    }
}
