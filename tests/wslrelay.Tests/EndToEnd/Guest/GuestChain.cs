using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.Tests.EndToEnd.Sandbox;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>A relay, and an agent at its target: every connection through it takes both hops.</summary>
internal sealed class GuestChain : IAsyncDisposable
{
    private const int EPERM = 1;

    private readonly RefusedCalls _sandbox;

    private GuestChain(GuestLink link, AgentUnderTest agent, RelayUnderTest relay, RefusedCalls sandbox) =>
        (Link, Agent, Relay, _sandbox) = (link, agent, relay, sandbox);

    public GuestLink Link { get; }

    public AgentUnderTest Agent { get; }

    public RelayUnderTest Relay { get; }

    public static async Task<GuestChain> OpenAsync(string kind)
    {
        var link = GuestLink.Create(kind);
        var sandbox = new RefusedCalls();
        if (kind == GuestLink.UnixWithoutPassing)
            await sandbox.InitializeAsync();

        // Without sendmsg(2) the agent cannot pass a socket.
        var agent = await AgentUnderTest.StartThroughAsync(kind == GuestLink.UnixWithoutPassing ? sandbox.Wrap("sendmsg", EPERM) : [], link);
        return new GuestChain(link, agent, RelayUnderTest.Serve("--target", link.Target(agent.Listens)), sandbox);
    }

    /// <summary>Both ends of one connection through it.</summary>
    public Task<RelayedPair> OpenPairAsync(int family = 4) => RelayedPair.OpenAsync(Relay, family);

    /// <summary>Both descriptor counts as they are now.</summary>
    public async Task<Func<Task>> CountDescriptorsAsync()
    {
        // Descriptors that a process opens once, for its first connection, are not counted.
        using (var listener = Net.Listen(Net.Loopback(4)))
        {
            var mapping = await Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
            using (var pair = await RelayedPair.OpenAsync(mapping, listener))
            {
                pair.Client.Shutdown(SocketShutdown.Send);
                await pair.Guest.AssertEndAsync();
            }

            await Limits.UntilAsync(async () => (await Relay.CountersAsync(mapping))["active"] is 0L, "the first connection to be gone");
            await Relay.ResultsAsync("unmap", mapping.ToUnmap());
        }

        await Limits.PauseAsync();
        var counts = new[] { new Descriptors(Relay.Process), new Descriptors(Agent.Process) };
        return () => Task.WhenAll(counts.Select(count => count.AssertReleasedAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        await Agent.DisposeAsync();
        Link.Dispose();
        await _sandbox.DisposeAsync();
    }
}
