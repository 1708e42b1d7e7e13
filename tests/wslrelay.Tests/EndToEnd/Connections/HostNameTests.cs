using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>A target's name is looked up again once a connection to it could not be made, and each of its addresses is tried.</summary>
public sealed class HostNameTests
{
    private const string Dead = "127.0.0.2";
    private const string Alive = "127.0.0.1";

    [Theory]
    [InlineData("direct:the-guest")]
    [InlineData("tcp:the-guest:1")]
    public async Task Is_looked_up_again_after_a_failed_connection(string target)
    {
        using var folder = new TemporaryFolder();
        await using var server = GuestServer.Start(static socket => socket.SendAllAsync(new byte[] { 0xc0 }));
        await using var relay = Serve(folder, target.Replace(":1", $":{server.Port}", StringComparison.Ordinal), Dead);
        var mapping = await relay.MapAsync(server.Port);
        await mapping.AssertResetAsync();
        await WriteAsync(folder, Alive);
        await Limits.UntilAsync(
            async () =>
            {
                try
                {
                    using var client = await mapping.ConnectAsync();
                    await client.ReceiveToEndAsync();
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "a connection to the new address");
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.2")]
    public async Task With_two_addresses_of_which_one_refuses_leads_to_the_other(string alive)
    {
        using var folder = new TemporaryFolder();
        using var listener = Net.Listen(new IPEndPoint(IPAddress.Parse(alive), 0));
        await using var relay = Serve(folder, "direct:the-guest", Dead, Alive);
        var mapping = await relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        using (await RelayedPair.OpenAsync(mapping, listener))
        {
            Assert.Equal(0L, (await relay.CountersAsync(mapping))["failed"]);
        }
    }

    [Fact]
    public async Task With_two_addresses_of_which_one_does_not_answer_leads_to_the_other_within_the_ten_seconds()
    {
        using var folder = new TemporaryFolder();
        var elapsed = new List<double>();
        foreach (var (silent, alive) in ((string, string)[])[(Dead, Alive), (Alive, Dead)])
        {
            using var listener = Net.Listen(new IPEndPoint(IPAddress.Parse(alive), 0));
            var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            using var full = Net.Listen(new IPEndPoint(IPAddress.Parse(silent), port), backlog: 0);
            using var first = await full.FillBacklogAsync();
            await using var relay = Serve(folder, "direct:the-guest", Dead, Alive);
            var mapping = await relay.MapAsync(port);
            var clock = Stopwatch.StartNew();
            using (await RelayedPair.OpenAsync(mapping, listener))
            {
                elapsed.Add(clock.Elapsed.TotalSeconds);
            }
        }

        // Whichever the resolver puts first has half of the time; after all of it the client would have been reset.
        Assert.InRange(elapsed.Max(), 4.5, double.MaxValue);
    }

    // A relay for which /etc/hosts is a file of the test's.
    private static RelayUnderTest Serve(TemporaryFolder folder, string target, params string[] addresses)
    {
        Platform.OnLinuxOnly("The names are those of /etc/hosts.");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "A file in the place of /etc/hosts needs root.");
        WriteAsync(folder, addresses).GetAwaiter().GetResult();
        string[] wrapper = ["unshare", "-m", "sh", "-c", $"mount --bind {Hosts(folder)} /etc/hosts && exec \"$@\"", "sh"];
        return RelayUnderTest.ServeThrough(wrapper, "--target", target);
    }

    // In place: a new file would not be the one that is mounted.
    private static Task WriteAsync(TemporaryFolder folder, params string[] addresses) =>
        File.WriteAllLinesAsync(Hosts(folder), addresses.Select(address => $"{address} the-guest"));

    private static string Hosts(TemporaryFolder folder) => Path.Combine(folder.Path, "hosts");
}
