using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>A relay that carries datagrams, directly or through an agent.</summary>
internal sealed class DatagramPath : IAsyncDisposable
{
    private readonly GuestLink? _link;

    private DatagramPath(RelayUnderTest relay, AgentUnderTest? agent, GuestLink? link) => (Relay, Agent, _link) = (relay, agent, link);

    /// <summary>Every way that there is; where the environment names one, that alone.</summary>
    public static TheoryData<string> Hops => Environment.GetEnvironmentVariable("WSLRELAY_HOPS") is { } only ? [only] : ["direct", "tcp", "unix", "vsock"];

    public RelayUnderTest Relay { get; }

    public AgentUnderTest? Agent { get; }

    public static async Task<DatagramPath> OpenAsync(string hop, params string[] arguments)
    {
        if (hop == "direct")
            return new DatagramPath(RelayUnderTest.Serve(arguments), null, null);

        var link = GuestLink.Create(hop);
        var agent = await AgentUnderTest.StartAsync(link);
        return new DatagramPath(RelayUnderTest.Serve(["--target", link.Target(agent.Listens), .. arguments]), agent, link);
    }

    /// <summary>Maps a port of the system's choice.</summary>
    public async Task<Mapping> MapAsync(int guestPort, int family = 4, string? address = null, int? idleMs = null, int hostPort = 0) =>
        (await Relay.MapAsync(Item(guestPort, family, address, idleMs, hostPort)))[0];

    public static MsgMap Item(int guestPort, int family = 4, string? address = null, int? idleMs = null, int hostPort = 0) => new()
    {
        ["protocol"] = "udp", ["family"] = family, ["address"] = address, ["hostPort"] = hostPort, ["guestPort"] = guestPort, ["idleMs"] = idleMs,
    };

    /// <summary>Waits until a counter of a mapping has this value.</summary>
    public Task UntilAsync(Mapping mapping, string counter, long value) => Limits.UntilAsync(
        async () => (await Relay.CountersAsync(mapping))[counter] is long now && now == value, $"{counter} to be {value}");

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        if (Agent is not null)
            await Agent.DisposeAsync();

        _link?.Dispose();
    }
}
