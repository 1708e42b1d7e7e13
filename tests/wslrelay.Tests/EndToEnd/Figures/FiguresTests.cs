using System.Diagnostics;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Figures;

/// <summary>Figures that are reported and not asserted: machines differ, and run other programs too.</summary>
public sealed class FiguresTests
{
    [Fact]
    public async Task Time_from_the_start_to_the_first_relayed_byte()
    {
        await using var guest = GuestServer.Echo();
        var times = new List<double>();
        for (var round = 0; round < 5; round++)
        {
            var clock = Stopwatch.StartNew();
            await using var relay = RelayUnderTest.Serve();
            await (await relay.MapAsync(guest.Port)).AssertEchoAsync();
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        Report($"from the start of the relay to the first relayed byte: {Median(times):F0} ms");
    }

    [Fact]
    public async Task Memory_with_idle_connections()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var few = await ManyConnections.OpenAsync(relay, 1, mappings: 1);
        var before = ProcessFigures.Memory(relay.Process);
        await using var many = await ManyConnections.OpenAsync(relay, 1000);
        await Limits.PauseAsync();
        var after = ProcessFigures.Memory(relay.Process);
        Report($"private memory of the relay: {before >> 10} KiB, with 1,000 idle connections {after >> 10} KiB");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public async Task Time_of_a_map_with_other_mappings_in_force(int count)
    {
        if (count > 5_000)
            Platform.NotUnderWine("Its server's descriptor limit is too low for 10,000 ports.");

        await using var relay = RelayUnderTest.Serve();
        for (var mapped = 0; mapped < count; mapped += 10)
            await relay.MapAsync([.. Enumerable.Range(0, 10).Select(_ => new MsgMap { ["guestPort"] = 80 })]);

        var given = await TimeAsync(relay, new MsgMap { ["address"] = "127.0.0.7", ["hostPort"] = 20_000, ["guestPort"] = 80 });
        var chosen = await TimeAsync(relay, new MsgMap { ["guestPort"] = 80 });
        Report($"map with {count} mappings in force: {given:F0} µs for a given port, {chosen:F0} µs where the system chooses it");
    }

    private static async Task<double> TimeAsync(RelayUnderTest relay, MsgMap item)
    {
        var times = new List<double>();
        for (var round = 0; round < 200; round++)
        {
            var clock = Stopwatch.StartNew();
            var mapping = await relay.MapAsync(item);
            times.Add(clock.Elapsed.TotalMicroseconds);
            await relay.ResultAsync("unmap", mapping[0].ToUnmap());
        }

        return Median(times);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Report(string figure) => TestContext.Current.TestOutputHelper!.WriteLine($"figure: {figure}");
}
