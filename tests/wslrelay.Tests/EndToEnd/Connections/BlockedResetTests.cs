using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A reset is passed on although the other side does not read, and no descriptor of the connection is left open.</summary>
public sealed class BlockedResetTests
{
    public static TheoryData<string, string> HopsAndModes => RelayPath.HopsAndModes;

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task A_reset_reaches_a_side_that_neither_reads_nor_sends(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        using var pair = await RelayedPair.OpenAsync(path.Relay);
        await pair.Client.FillAsync();
        pair.Client.Reset();
        await pair.Guest.WaitForResetAsync();
    }

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task A_reset_reaches_a_side_that_only_sends(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        using var pair = await RelayedPair.OpenAsync(path.Relay);
        await pair.Client.FillAsync();
        await pair.Guest.FillAsync();
        pair.Guest.Blocking = true;
        var sending = Assert.ThrowsAsync<SocketException>(async () =>
        {
            // On a busy machine the relay may take a little more.
            while (true)
                await pair.Guest.SendAllAsync(new byte[64 * 1024]);
        });
        pair.Client.Reset();
        Assert.Contains((await sending).SocketErrorCode, SocketExtensions.Resets);
    }

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task Resets_of_both_sides_leave_no_descriptor(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        await using var second = hop == "direct" ? await RelayPath.OpenAsync(hop, mode) : null;
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await path.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        if (second is not null)
        {
            // Two relays in series are two hops as well.
            mapping = await second.Relay.MapAsync(mapping.EndPoint.Port);
        }

        using (var first = await RelayedPair.OpenAsync(mapping, listener))
        {
            // Descriptors that a process opens once, for its first connection, are not counted.
        }

        await Limits.PauseAsync();
        var descriptors = new[] { path.Relay.Process, path.Agent?.Process, second?.Relay.Process }.OfType<System.Diagnostics.Process>().Select(process => new Descriptors(process)).ToArray();
        using (var pair = await RelayedPair.OpenAsync(mapping, listener))
        {
            await pair.Client.FillAsync();
            await pair.Guest.FillAsync();
            pair.Guest.Reset();
            pair.Client.Reset();
        }

        await Task.WhenAll(descriptors.Select(count => count.AssertReleasedAsync()));
    }
}
