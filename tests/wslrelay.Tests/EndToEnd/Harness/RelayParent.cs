using System.Diagnostics;
using System.Net;
using RelayProtocol;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A parent that a test can kill: this test program as a second process, which starts a relay through the library.</summary>
internal sealed class RelayParent : IDisposable
{
    /// <summary>The argument that makes this program a parent; the guest's port follows.</summary>
    public const string Argument = "--parent-of-a-relay";

    private const int Ports = 100;

    private readonly Process _process;

    private RelayParent(Process process) => _process = process;

    /// <summary>The relay's process.</summary>
    public int RelayId { get; private set; }

    public IReadOnlyList<Mapping> Mappings { get; private set; } = [];

    /// <summary>Starts one; its relay has mapped its ports when this returns.</summary>
    public static async Task<RelayParent> StartAsync(int guestPort)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "wslrelay.Tests.exe" : "wslrelay.Tests");
        var parent = new RelayParent(RelayProgram.StartCommand([program, Argument, $"{guestPort}"]));
        try
        {
            var line = await parent._process.StandardOutput.ReadLineAsync().WaitAsync(Limits.HangTimeout);
            var numbers = line!.Split(' ').Select(int.Parse).ToArray();
            parent.RelayId = numbers[0];
            parent.Mappings = [.. numbers[1..].Select(port => new Mapping("tcp", 4, "127.0.0.1", port, guestPort))];
            return parent;
        }
        catch
        {
            parent.Dispose();
            throw;
        }
    }

    /// <summary>This program as a parent: prints the relay's process id and ports, and runs until it is killed.</summary>
    public static async Task<int> RunAsync(int guestPort)
    {
        // At the end of its input it would drain. On Windows it is killed with its parent all the same, by the job that it is in.
        var info = new RelayStartInfo(RelayProgram.Path) { Drain = OperatingSystem.IsWindows() ? TimeSpan.FromMinutes(10) : TimeSpan.Zero };
        await using var relay = RelayProgram.Start(info);
        var mappings = await relay.Client.MapAsync([.. Enumerable.Range(0, Ports).Select(_ => new PortMapping(IPAddress.Loopback, Net.FreePort(), guestPort))]);
        await Console.Out.WriteLineAsync($"{relay.Id} {string.Join(' ', mappings.Select(mapping => mapping.HostPort))}");
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    /// <summary>Ends it, and no other process, as a crash would.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();

        _process.Dispose();
    }
}
