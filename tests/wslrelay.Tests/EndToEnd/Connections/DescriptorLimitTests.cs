using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A relay that runs out of descriptors: it neither spins nor loses a mapping, and resumes when some are free again.</summary>
[Collection(Alone.Name)]
public sealed class DescriptorLimitTests
{
    private const int Limit = 64;

    [Fact]
    public async Task Connections_resume_when_some_close_and_nothing_spins_meanwhile()
    {
        await using var relay = ServeWithFewDescriptors();
        await using var guest = GuestServer.Echo();
        var mappings = await relay.MapAsync(new MsgMap { ["guestPort"] = guest.Port }, new MsgMap { ["guestPort"] = guest.Port });
        var clients = new List<Socket>();
        for (var i = 0; i < Limit; i++)
        {
            clients.Add(await mappings[i % 2].ConnectAsync());
        }

        await Limits.PauseAsync();
        var before = ProcessFigures.ProcessorTime(relay.Process);
        await Limits.PauseAsync(2000);
        var spent = ProcessFigures.ProcessorTime(relay.Process) - before;
        Assert.True(spent < TimeSpan.FromMilliseconds(500), $"{spent.TotalMilliseconds} ms of processor time in two seconds without descriptors");
        Assert.Equal(2, (await relay.ResultsAsync("list")).Length);
        await clients[0].AssertEchoAsync();

        clients.ForEach(client => client.Dispose());
        foreach (var mapping in mappings)
        {
            await Limits.UntilAsync(() => TryEchoAsync(mapping), $"{mapping.Name} to serve again");
        }
    }

    [Fact]
    public async Task Those_that_wait_are_served_as_others_close()
    {
        await using var relay = ServeWithFewDescriptors();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var served = await Task.WhenAll(Enumerable.Range(0, 3 * Limit).Select(_ => TryEchoAsync(mapping)));
        Assert.InRange(served.Count(success => success), Limit / 4, 3 * Limit);
        await Limits.UntilAsync(() => TryEchoAsync(mapping), $"{mapping.Name} to serve again");
    }

    [Fact]
    public async Task TooManyOpenFiles_for_a_mapping_that_gets_no_descriptor_and_the_rest_stay()
    {
        await using var relay = ServeWithFewDescriptors();
        await using var guest = GuestServer.Echo();
        var first = await relay.MapAsync(guest.Port);
        var many = Enumerable.Range(0, Limit).Select(_ => new MsgMap { ["guestPort"] = guest.Port }).ToArray();
        var fault = await relay.FailAsync("TooManyOpenFiles", "map", many);
        Assert.InRange(fault.Index!.Value, 1, Limit - 1);
        Assert.Contains("127.0.0.1:0/tcp", fault.Message, StringComparison.Ordinal);
        Assert.Equal(first, Mapping.Parse(Assert.Single(await relay.ResultsAsync("list"))));
        await first.AssertEchoAsync();
        await (await relay.MapAsync(guest.Port)).AssertEchoAsync();
    }

    /// <summary>Whether the relay took a connection: one that finds it without descriptors is reset, and none may hang.</summary>
    private static async Task<bool> TryEchoAsync(Mapping mapping)
    {
        try
        {
            await mapping.AssertEchoAsync();
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            return false;
        }
    }

    private static RelayUnderTest ServeWithFewDescriptors()
    {
        Platform.OnLinuxOnly("The limit is set by the shell's ulimit.");
        return RelayUnderTest.ServeThrough(["/bin/sh", "-c", $"ulimit -n {Limit}; exec \"$0\" \"$@\""]);
    }
}
