using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>Many ports at once: more than the 64 handles that one wait on Windows can take.</summary>
public sealed class ManyMappingsTests
{
    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public async Task The_first_the_last_and_fifty_between_work(int count)
    {
        if (count > 5_000)
        {
            Platform.NotUnderWine("Its server's descriptor limit is too low for 10,000 ports.");
            Assert.SkipUnless(!OperatingSystem.IsLinux() || Libc.DescriptorLimit > count + 1_000, "The hard limit of descriptors is too low.");
        }

        await using var relay = RelayUnderTest.Serve();
        var guests = Enumerable.Range(0, 7).Select(number => GuestServer.Content([(byte)number])).ToArray();
        var mappings = new List<Mapping>();
        while (mappings.Count < count)
        {
            var from = mappings.Count;
            mappings.AddRange(await relay.MapAsync(
                [.. Enumerable.Range(from, Math.Min(1_000, count - from)).Select(i => new MsgMap { ["guestPort"] = guests[i % 7].Port })]));
        }

        foreach (var i in Enumerable.Range(0, 51).Select(step => step * (count - 1) / 51).Append(count - 1))
        {
            using var client = await mappings[i].ConnectAsync();
            Assert.Equal((byte)(i % 7), Assert.Single(await client.ReceiveToEndAsync()));
        }

        Assert.Equal(mappings.OrderBy(mapping => mapping.HostPort), (await relay.ResultsAsync("list")).Select(Mapping.Parse));
        foreach (var chunk in mappings.Chunk(500))
            await relay.ResultAsync("unmap", [.. chunk.Select(mapping => mapping.ToUnmap())]);

        Assert.Empty(await relay.ResultsAsync("list"));
        await mappings[^1].EndPoint.AssertRefusedAsync();
        await Task.WhenAll(guests.Select(guest => guest.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Their_memory_is_released_after_they_are_unmapped()
    {
        Platform.OnLinuxOnly("Only Linux reports how much of a process's memory is resident and private.");
        await using var relay = RelayUnderTest.Serve();
        // The code that the runtime compiles for the first mappings stays in memory.
        await UnmapAsync(await MapAsync(1));
        var before = ProcessFigures.Memory(relay.Process);
        var mappings = await MapAsync(10);
        var taken = ProcessFigures.Memory(relay.Process) - before;
        await UnmapAsync(mappings);
        await Limits.UntilAsync(() => ProcessFigures.Memory(relay.Process) - before < taken / 3, $"two thirds of {taken} bytes to be released");

        async Task<List<Mapping>> MapAsync(int requests)
        {
            var mapped = new List<Mapping>();
            for (var i = 0; i < requests; i++)
                mapped.AddRange(await relay.MapAsync([.. Enumerable.Range(0, 500).Select(_ => new MsgMap { ["guestPort"] = 80 })]));

            for (var i = 0; i < 5; i++)
                await relay.ResultsAsync("list");

            return mapped;
        }

        async Task UnmapAsync(List<Mapping> mapped)
        {
            foreach (var chunk in mapped.Chunk(500))
                await relay.ResultAsync("unmap", [.. chunk.Select(mapping => mapping.ToUnmap())]);
        }
    }
}
