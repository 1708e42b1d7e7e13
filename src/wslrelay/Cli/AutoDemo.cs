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

    private static readonly IPAddress Guest = new([127, 0, 0, 2]);

    internal static async Task<bool> RunAsync(string programPath)
    {
        using LoopHost host = new(LogLevel.Warning);
        int agentPort = new GuestAgent(host.Loop, host.Log, allowAnyCid: false, Guest).Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        Task agent = Task.Factory.StartNew(host.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await ShowAsync(programPath, agentPort).ConfigureAwait(false);
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

    private static async Task<bool> ShowAsync(string programPath, int agentPort)
    {
        using Socket server = Reserve(out int port, out Socket reserve);
        await using RelayProcess relay = RelayProcess.Start(new RelayStartInfo(programPath) { Target = RelayTarget.Tcp("127.0.0.1", agentPort) });
        AutoMapResult result = await relay.Client.AutoMapAsync(new AutoMapOptions { Ports = $"{port}" }).ConfigureAwait(false);
        Print("guest", $"has an agent on tcp:127.0.0.1:{agentPort}, and in place of a network of its own the address {Guest}");
        Print("parent", $"auto, ports {port} -> {result.Mapped.Count} mapped");

        var watch = Stopwatch.StartNew();
        Start(server);
        reserve.Dispose();
        Print("guest", $"a server starts on port {port}");
        PortMapping mapping = (await ListAsync(relay.Client, mappings: 1).ConfigureAwait(false))[0].Mapping;
        Print("relay", $"{mapping} is mapped by itself, after {watch.ElapsedMilliseconds} ms");
        string answer = await AskAsync(mapping, "hello by itself").ConfigureAwait(false);
        Print("client", $"{mapping} <- \"hello by itself\"  -> \"{answer}\"");

        watch.Restart();
        server.Dispose();
        Print("guest", "the server ends");
        _ = await ListAsync(relay.Client, mappings: 0).ConfigureAwait(false);
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

    // A number that is free on both addresses: a socket that does not listen yet, and one that keeps it until then.
    private static Socket Reserve(out int port, out Socket reserve)
    {
        for (port = FirstPort; ; port++)
        {
            Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            reserve = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                reserve.Bind(new IPEndPoint(IPAddress.Loopback, port));
                reserve.Listen();
                server.Bind(new IPEndPoint(Guest, port));
                return server;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                server.Dispose();
                reserve.Dispose();
            }
        }
    }

    // Serves until it is disposed.
    private static void Start(Socket server)
    {
        server.Listen();
        _ = ServeGuestAsync(server);
    }

    private static async Task<IReadOnlyList<PortMappingStatus>> ListAsync(RelayClient client, int mappings)
    {
        while (true)
        {
            IReadOnlyList<PortMappingStatus> list = await client.ListAsync().ConfigureAwait(false);
            if (list.Count == mappings)
                return list;

            await Task.Delay(20).ConfigureAwait(false);
        }
    }
}
