using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>
/// Connections whose ends do anything that TCP allows, generated from a seed: direct, as the control, and through the relay in each of its modes.
/// <c>WSLRELAY_RANDOM_CONNECTIONS</c> is how many go each way, <c>WSLRELAY_RANDOM_SEED</c> the seed of the first; the next has the next number.
/// </summary>
public sealed class RandomizedTests
{
    private const int AtOnce = 24;
    private const int FailuresShown = 5;

    private static readonly int Connections = Number("WSLRELAY_RANDOM_CONNECTIONS", 250);
    private static readonly int FirstSeed = Number("WSLRELAY_RANDOM_SEED", 1);

    [Fact]
    public async Task Direct_connections_keep_TCPs_guarantees()
    {
        Platform.OnLinuxOnly("The calls are Linux's.");
        await RunAsync("without a relay", listeners => Task.FromResult(listeners.Select(listener => (IPEndPoint)listener.LocalEndPoint!).ToArray()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("WSLRELAY_CALLS=single")]
    [InlineData("WSLRELAY_CALLS=ring")]
    [InlineData("WSLRELAY_PUMP=copy")]
    [InlineData("WSLRELAY_PUMP=splice")]
    public async Task Relayed_connections_keep_TCPs_guarantees(string environment)
    {
        Platform.OnLinuxOnly("The calls are Linux's.");
        await using var relay = RelayUnderTest.ServeThrough(environment.Length > 0 ? ["/usr/bin/env", environment] : []);
        await RunThroughAsync($"direct {environment}", relay, () => Task.FromResult<Func<Task>>(new Descriptors(relay.Process).AssertReleasedAsync));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    [InlineData(GuestLink.UnixWithoutPassing)]
    public async Task Connections_through_relay_and_agent_keep_TCPs_guarantees(string kind)
    {
        await using var chain = await GuestChain.OpenAsync(kind);
        await RunThroughAsync($"agent over {kind}", chain.Relay, chain.CountDescriptorsAsync);
    }

    private static async Task RunThroughAsync(string path, RelayUnderTest relay, Func<Task<Func<Task>>> countDescriptors)
    {
        Func<Task>? assertReleased = null;
        await RunAsync(path, async listeners =>
        {
            var mappings = await relay.MapAsync([.. listeners.Select(listener => new MsgMap { ["guestPort"] = ((IPEndPoint)listener.LocalEndPoint!).Port })]);
            assertReleased = await countDescriptors();
            return [.. mappings.Select(mapping => mapping.EndPoint)];
        });
        await Limits.UntilAsync(
            async () => (await relay.ResultsAsync("list")).All(entry => ((MsgMap)entry!)["active"] is 0L), "the connections to be gone");
        await assertReleased!();
    }

    // Each worker has listeners of its own, so that it knows both ends of its connections.
    private static async Task RunAsync(string path, Func<Socket[], Task<IPEndPoint[]>> reach)
    {
        var listeners = Enumerable.Range(0, 2 * AtOnce).Select(i => Listen(i % 2 == 0 ? null : EndScript.SmallBuffer)).ToArray();
        var addresses = await reach(listeners);
        var failures = new ConcurrentQueue<string>();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(worker => Task.Factory.StartNew(() => RunWorker(worker), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Array.ForEach(listeners, listener => listener.Dispose());
        Assert.True(
            failures.IsEmpty, $"{failures.Count} of {Connections} connections broke a guarantee, {path}:\n{string.Join('\n', failures.Take(FailuresShown))}");

        void RunWorker(int worker)
        {
            while (failures.Count < 10 * FailuresShown && Interlocked.Increment(ref next) is var number && number < Connections)
            {
                var script = ConnectionScript.Generate(FirstSeed + number);
                var place = (2 * worker) + (script.Server.BufferSize is null ? 0 : 1);
                if (Run(script, listeners[place], addresses[place]) is { } failure)
                    failures.Enqueue(failure);
            }
        }
    }

    private static string? Run(ConnectionScript script, Socket listener, IPEndPoint address)
    {
        var client = new EndRun(script.Client, script.Server, 2 * script.Seed, (2 * script.Seed) + 1);
        var server = new EndRun(script.Server, script.Client, (2 * script.Seed) + 1, 2 * script.Seed);
        var wasAccepted = true;
        var serving = Task.Factory.StartNew(
            () =>
            {
                wasAccepted = listener.Poll(TimeSpan.FromSeconds(60), SelectMode.SelectRead);
                if (wasAccepted)
                {
                    var accepted = listener.Accept();
                    SetBuffers(accepted, script.Server.BufferSize);
                    server.Run(accepted);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SetBuffers(socket, script.Client.BufferSize);
        socket.Connect(address);
        client.Run(socket);
        serving.Wait();
        var broken = !wasAccepted ? "server: the connection never came"
            : Invariants.Broken(script, client, server) is { } toServer ? $"server: {toServer}"
            : Invariants.Broken(script, server, client) is { } toClient ? $"client: {toClient}"
            : null;
        return broken is null ? null : $"seed {script.Seed}: {broken}\n  client {script.Client}\n    {client}\n  server {script.Server}\n    {server}";
    }

    private static Socket Listen(int? bufferSize)
    {
        // An accepted connection has the buffer sizes that its listener has at that time.
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SetBuffers(listener, bufferSize);
        listener.Bind(Net.Loopback(4));
        listener.Listen();
        return listener;
    }

    private static void SetBuffers(Socket socket, int? size)
    {
        if (size is { } bytes)
            (socket.ReceiveBufferSize, socket.SendBufferSize) = (bytes, bytes);
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
