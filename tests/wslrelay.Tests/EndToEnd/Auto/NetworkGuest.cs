using System.Diagnostics;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>A guest that is not this machine's loopback: a network namespace of its own, with an agent that is reached from outside.</summary>
internal sealed class NetworkGuest : IAsyncDisposable
{
    public const string Python = "/usr/bin/python3";

    private readonly GuestLink _link;
    private readonly Process _namespace;
    private readonly bool _isPython;
    private AgentUnderTest? _agent;

    private NetworkGuest(string kind)
    {
        Platform.OnLinuxOnly("The guest is Linux.");
        RequiredTool.Require(Python, "python3-msgpack", "-c", "import msgpack");
        RequiredTool.Require("/usr/bin/unshare", "util-linux", "-n", "true");
        _isPython = kind == "python";
        _link = GuestLink.Create(_isPython ? "unix" : kind);
        _namespace = RelayProgram.StartCommand(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 3600"]);
    }

    public string Target => _link.Target(_agent!.Listens);

    /// <summary>A kind of <see cref="GuestLink"/>, to our agent; or python, one that was written from the protocol alone.</summary>
    public static async Task<NetworkGuest> StartAsync(string kind = "unix")
    {
        var guest = new NetworkGuest(kind);
        await guest._namespace.StandardOutput.ReadLineAsync().WaitAsync(Limits.Hang);
        if (kind == GuestLink.Cable)
        {
            var run = await ProgramRun.OfAsync(["sh", "-euc", $"""
                ip link add guest type veth peer name eth0 netns {guest._namespace.Id}
                ip address add 10.117.0.1/30 dev guest
                ip link set guest up
                nsenter -t {guest._namespace.Id} -n sh -euc 'ip address add 10.117.0.2/30 dev eth0; ip link set eth0 up'
                """]);
            Assert.True(run.ExitCode == 0, $"{run}");
        }

        await guest.StartAgentAsync();
        return guest;
    }

    /// <summary>Starts a program in the guest.</summary>
    public Process Run(string[] command) => RelayProgram.StartCommand(Enter(command));

    public async Task RestartAgentAsync()
    {
        await _agent!.DisposeAsync();
        await StartAgentAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
            await _agent.DisposeAsync();

        _namespace.Kill();
        _namespace.Dispose();
        _link.Dispose();
    }

    private string[] Enter(params string[] command) => ["nsenter", "-t", $"{_namespace.Id}", "-n", .. command];

    private async Task StartAgentAsync() => _agent = _isPython
        ? await AgentUnderTest.StartCommandAsync(Enter(Python, "-B", Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", "guest_agent.py"), _link.ListenText))
        : await AgentUnderTest.StartThroughAsync(Enter(), _link);
}
