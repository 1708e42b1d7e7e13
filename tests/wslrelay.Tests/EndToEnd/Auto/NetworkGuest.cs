using System.Diagnostics;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>A guest that is not this machine's loopback: a network namespace of its own, with an agent on a Unix socket that reaches out of it.</summary>
internal sealed class NetworkGuest : IAsyncDisposable
{
    private readonly GuestLink _link = GuestLink.Create("unix");
    private readonly Process _namespace;
    private readonly bool _isPython;
    private AgentUnderTest? _agent;

    private NetworkGuest(bool isPython)
    {
        _isPython = isPython;
        _namespace = RelayProgram.StartCommand(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 3600"]);
    }

    public string Target => _link.ListenText;

    /// <summary>Our agent, or one in Python that was written from the protocol alone.</summary>
    public static async Task<NetworkGuest> StartAsync(bool isPython)
    {
        var guest = new NetworkGuest(isPython);
        await guest._namespace.StandardOutput.ReadLineAsync().WaitAsync(Limits.Hang);
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
        ? await AgentUnderTest.StartCommandAsync(Enter("/usr/bin/python3", "-B", Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Guest", "guest_agent.py"), _link.ListenText))
        : await AgentUnderTest.StartThroughAsync(Enter(), _link);
}
