using Wslrelay.Tests.EndToEnd.Guest;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A relay, and an agent where the hop is not <c>direct</c>, both started with one setting of the environment.</summary>
internal sealed class RelayPath : IAsyncDisposable
{
    private readonly GuestLink? _link;

    private RelayPath(RelayUnderTest relay, AgentUnderTest? agent, GuestLink? link) => (Relay, Agent, _link) = (relay, agent, link);

    public RelayUnderTest Relay { get; }

    public AgentUnderTest? Agent { get; }

    /// <summary>Every hop in the modes that its data can take; where the environment sets the pump, in the modes of that pump.</summary>
    public static TheoryData<string, string> HopsAndModes
    {
        get
        {
            TheoryData<string, string> all = [];
            string[] calls = ["WSLRELAY_CALLS=single", "WSLRELAY_CALLS=ring"], pumps = ["WSLRELAY_PUMP=copy", "WSLRELAY_PUMP=splice"];
            var isPumpGiven = Environment.GetEnvironmentVariable("WSLRELAY_PUMP") is { Length: > 0 };
            foreach (var hop in (string[])["direct", "tcp", "unix"])
            {
                foreach (var mode in isPumpGiven ? calls : [.. calls, .. pumps])
                    all.Add(hop, mode);
            }

            return all;
        }
    }

    public static async Task<RelayPath> OpenAsync(string hop, string mode)
    {
        Platform.OnLinuxOnly("The modes are Linux's.");
        if (hop == "direct")
            return new RelayPath(RelayUnderTest.ServeThrough(["env", mode]), null, null);

        var link = GuestLink.Create(hop);
        var agent = await AgentUnderTest.StartThroughAsync(["env", mode], link);
        return new RelayPath(RelayUnderTest.ServeThrough(["env", mode], "--target", link.Target(agent.Listens)), agent, link);
    }

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        if (Agent is not null)
            await Agent.DisposeAsync();

        _link?.Dispose();
    }
}
