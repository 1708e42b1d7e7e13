using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A relay that runs out of descriptors: it neither spins nor loses a mapping, and resumes when some are free again.</summary>
public sealed class DescriptorLimitTests
{
    // How many descriptors the relay may still open, and a number of mappings or connections for which these do not suffice.
    private const int FreeDescriptors = 40;
    private const int MoreThanFit = 64;

    [Fact]
    public async Task Accepting_resumes_when_some_close_and_nothing_spins_meanwhile()
    {
        await using var relay = await ServeWithFewDescriptorsAsync();
        await using var guest = GuestServer.Echo();
        var mappings = await relay.MapAsync(new MsgMap { ["guestPort"] = guest.Port }, new MsgMap { ["guestPort"] = guest.Port });
        var clients = new List<Socket>();
        for (var i = 0; i < MoreThanFit; i++)
            clients.Add(await mappings[i % 2].ConnectAsync());

        await Limits.UntilIdleAsync(relay.Process);
        Assert.Equal(2, (await relay.ResultsAsync("list")).Length);
        await clients[0].AssertEchoAsync();

        clients.ForEach(client => client.Dispose());
        foreach (var mapping in mappings)
            await Limits.UntilAsync(() => TryEchoAsync(mapping), $"{mapping.Name} to serve again");
    }

    [Fact]
    public async Task Connections_that_wait_are_served_as_others_close()
    {
        await using var relay = await ServeWithFewDescriptorsAsync();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var served = await Task.WhenAll(Enumerable.Range(0, 3 * MoreThanFit).Select(_ => TryEchoAsync(mapping)));
        Assert.InRange(served.Count(success => success), MoreThanFit / 4, 3 * MoreThanFit);
        await Limits.UntilAsync(() => TryEchoAsync(mapping), $"{mapping.Name} to serve again");
    }

    [Fact]
    public async Task TooManyOpenFiles_for_a_mapping_that_gets_no_descriptor_and_the_rest_stay()
    {
        await using var relay = await ServeWithFewDescriptorsAsync();
        await using var guest = GuestServer.Echo();
        var first = await relay.MapAsync(guest.Port);
        var many = Enumerable.Range(0, MoreThanFit).Select(_ => new MsgMap { ["guestPort"] = guest.Port }).ToArray();
        var fault = await relay.FailAsync("TooManyOpenFiles", "map", many);
        Assert.InRange(fault.Index!.Value, 1, MoreThanFit - 1);
        Assert.Contains("127.0.0.1:0/tcp", fault.Message, StringComparison.Ordinal);
        Assert.Equal(first, Mapping.Parse(Assert.Single(await relay.ResultsAsync("list"))));
        await first.AssertEchoAsync();
        await (await relay.MapAsync(guest.Port)).AssertEchoAsync();
    }

    [Fact]
    public async Task The_last_256_descriptors_are_for_connections_and_not_for_pipes()
    {
        Platform.OnLinuxOnly("The limit is set by prlimit(1).");
        using var listener = Net.Listen(Net.Loopback(4));
        using var forward = new ForwardUnderTest([$"0:{((IPEndPoint)listener.LocalEndPoint!).Port}"], "prlimit", "--nofile=256:256");
        var port = int.Parse((await forward.ReadLineAsync()).Split(':', '/')[1], CultureInfo.InvariantCulture);
        using var pair = await RelayedPair.OpenAsync(new Mapping("tcp", 4, "127.0.0.1", port, 0), listener);
        var before = Pipes();

        // The client reads nothing: the relay holds what it has read from the server.
        var bytes = Net.RandomBytes(32 << 20, 1);
        var sent = pair.Guest.SendAllAsync(bytes);
        await Limits.UntilIdleAsync(forward.Process);
        Assert.False(sent.IsCompleted);
        Assert.Equal(before, Pipes());
        Assert.Equal(bytes, await pair.Client.ReceiveExactlyAsync(bytes.Length));
        await sent;

        int Pipes() => Directory.GetFiles($"/proc/{forward.Process.Id}/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith("pipe:", StringComparison.Ordinal) == true);
    }

    /// <summary>Whether the relay served a connection: one for which it has no descriptors is reset, and none may be left waiting.</summary>
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

    // The limit is set after the runtime has opened the files it needs here: it loads its assemblies as they are used, and keeps each one open.
    private static async Task<RelayUnderTest> ServeWithFewDescriptorsAsync()
    {
        Platform.OnLinuxOnly("The limit is set by prlimit(1).");
        var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        await mapping.AssertEchoAsync();
        await relay.FailAsync("AddressInUse", "map", new MsgMap { ["hostPort"] = mapping.HostPort, ["guestPort"] = 80 });
        await relay.ResultsAsync("unmap", mapping.ToUnmap());
        await Limits.UntilIdleAsync(relay.Process);
        var limit = Directory.GetFiles($"/proc/{relay.Process.Id}/fd").Length + FreeDescriptors;
        var run = await ProgramRun.OfAsync(["prlimit", $"--pid={relay.Process.Id}", $"--nofile={limit}:{limit}"]);
        Assert.True(run.ExitCode == 0, $"{run}");
        return relay;
    }
}
