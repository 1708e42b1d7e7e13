using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;
using static Wslrelay.Cli.DemoRunner;

namespace Wslrelay.Cli;

/// <summary>
/// The demo's automatic mapping: an agent in this process, and a relay that maps what listens in its "guest". A guest has a network of its own, which not every
/// machine gives a program; here it has a loopback address of its own.
/// </summary>
internal static class AutoDemo
{
    // Below the numbers that systems give to who asks for any.
    private const int FirstPort = 5173;

    // A mapping comes and goes within two.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static readonly IPAddress Guest = new([127, 0, 0, 2]);

    internal static async Task<bool> RunAsync(string programPath)
    {
        using LoopHost host = new(LogLevel.Warning);
        int agentPort = new GuestAgent(host.Loop, host.Log, allowAnyCid: false, Guest).Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        Task agent = Task.Factory.StartNew(host.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        using CancellationTokenSource timeout = new(Timeout);
        try
        {
            return await ShowAsync(programPath, agentPort, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Print("demo", $"automatic mappings did not come and go within {Timeout.TotalSeconds} seconds");
            return false;
        }
        catch (Exception e) when (e is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } or RelayException { Error.Kind: RelayErrorCode.NotSupported })
        {
            Print("demo", $"automatic mappings are left out, this machine does not let them be shown: {e.Message}");
            return true;
        }
        finally
        {
            host.Loop.Post(host.Loop.Stop);
            await agent.ConfigureAwait(false);
        }
    }

    private static async Task<bool> ShowAsync(string programPath, int agentPort, CancellationToken timeout)
    {
        int port = FirstPort;
        while (!IsFree(Guest, port) || !IsFree(IPAddress.Loopback, port))
            port++;

        await using RelayProcess relay = RelayProcess.Start(new RelayStartInfo(programPath) { Target = RelayTarget.Tcp("127.0.0.1", agentPort) });
        AutoMapResult result = await relay.Client.AutoMapAsync(new AutoMapOptions { Ports = $"{port}" }, timeout).ConfigureAwait(false);
        Print("guest", $"has an agent on tcp:127.0.0.1:{agentPort}, and in place of a network of its own the address {Guest}");
        Print("parent", $"auto, ports {port} -> {result.Mapped.Count} mapped");

        var watch = Stopwatch.StartNew();
        using TcpListener server = new(Guest, port);
        server.Start();
        _ = ServeGuestAsync(server.Server);
        Print("guest", $"a server starts on port {port}");
        PortMapping mapping = (await ListAsync(relay.Client, mappings: 1, timeout).ConfigureAwait(false))[0].Mapping;
        Print("relay", $"{mapping} is mapped by itself, after {watch.ElapsedMilliseconds} ms");
        string answer = await AskAsync(mapping, "hello by itself").ConfigureAwait(false);
        Print("client", $"{mapping} <- \"hello by itself\"  -> \"{answer}\"");

        watch.Restart();
        server.Stop();
        Print("guest", "the server ends");
        _ = await ListAsync(relay.Client, mappings: 0, timeout).ConfigureAwait(false);
        Print("relay", $"{mapping} is gone, after {watch.ElapsedMilliseconds} ms");
        try
        {
            _ = await AskAsync(mapping, "is there anybody?").ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            Print("client", $"{mapping} refuses connections");
            return answer == "the guest heard: hello by itself";
        }

        return false;
    }

    private static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using TcpListener listener = new(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<PortMappingStatus>> ListAsync(RelayClient client, int mappings, CancellationToken timeout)
    {
        while (true)
        {
            IReadOnlyList<PortMappingStatus> list = await client.ListAsync(timeout).ConfigureAwait(false);
            if (list.Count == mappings)
                return list;

            await Task.Delay(20, timeout).ConfigureAwait(false);
        }
    }
}
