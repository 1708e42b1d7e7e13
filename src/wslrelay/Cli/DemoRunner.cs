using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.Cli;

/// <summary>
/// <c>demo</c>: a parent that starts a relay as its child, a server in place of the guest's, and a client of each mapped port. Prints each step;
/// succeeds only if every answer was right.
/// </summary>
internal static class DemoRunner
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    // "dotnet wslrelay.dll" runs in a process that is not this program.
    private static string ProgramPath =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Path.Combine(AppContext.BaseDirectory, "wslrelay") : Environment.ProcessPath!;

    internal static ExitCode Run(int ports)
    {
        try
        {
            using CancellationTokenSource stop = new();
            using StopSignals signals = new(_ => stop.Cancel());
            return RunAsync(ports).WaitAsync(Timeout, stop.Token).GetAwaiter().GetResult() ? ExitCode.Success : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            // Stopped by a signal; the relay ends with its standard input.
            return ExitCode.Success;
        }
        catch (Exception e) when (e is IOException or SocketException or RelayException or TimeoutException)
        {
            StandardError.WriteLine($"the demo failed: {e.Message}");
            return ExitCode.Failed;
        }
    }

    private static async Task<bool> RunAsync(int ports)
    {
        using TcpListener guest = new(IPAddress.Loopback, 0);
        guest.Start(backlog: 512);
        int guestPort = ((IPEndPoint)guest.LocalEndpoint).Port;
        _ = ServeGuestAsync(guest.Server);
        Print("guest", $"listens on 127.0.0.1:{guestPort}");

        var watch = Stopwatch.StartNew();
        await using RelayProcess relay = RelayProcess.Start(new RelayStartInfo(ProgramPath));
        RelayHello hello = await relay.Client.HelloAsync().ConfigureAwait(false);
        Print("relay", $"{hello.Name} {hello.Version} runs as process {hello.ProcessId}, target {hello.Target} ({watch.ElapsedMilliseconds} ms)");

        watch.Restart();
        PortMapping[] mapped = await Task.WhenAll(Enumerable.Range(0, ports).Select(_ => MapAsync(relay.Client, guestPort))).ConfigureAwait(false);
        Print("parent", $"mapped {ports} ports in {watch.ElapsedMilliseconds} ms");

        watch.Restart();
        int correct = 0;
        foreach (PortMapping mapping in mapped)
        {
            string question = $"hello from port {mapping.HostPort}";
            string answer = await AskAsync(mapping, question).ConfigureAwait(false);
            Print("client", $"{mapping} <- \"{question}\"  -> \"{answer}\"");
            correct += answer == $"the guest heard: {question}" ? 1 : 0;
        }

        Print("client", $"{correct} of {ports} answers are right, in {watch.ElapsedMilliseconds} ms");

        bool udpWorks = await AskByDatagramAsync(relay.Client).ConfigureAwait(false);

        UnmapResult unmapped = await relay.Client.UnmapAsync(mapped[0].Key, drain: TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        Print("parent", $"unmap {mapped[0]} -> active {unmapped.Active}, reset {unmapped.Reset}");
        IReadOnlyList<PortMappingStatus> list = await relay.Client.ListAsync().ConfigureAwait(false);
        long accepted = list.Sum(status => status.Accepted);
        Print("parent", $"list -> {list.Count} mappings, {accepted} connections, {list.Sum(status => status.BytesToGuest)} bytes to the guest, {list.Sum(status => status.BytesToHost)} to the host");

        watch.Restart();
        relay.SignalExit();
        int? exitCode = await relay.WaitForExitAsync().ConfigureAwait(false);
        Print("parent", $"exit event signalled -> the relay exited with {exitCode} ({watch.ElapsedMilliseconds} ms)");

        bool autoWorks = await AutoDemo.RunAsync(ProgramPath).ConfigureAwait(false);
        bool worked = correct == ports && udpWorks && autoWorks && list.Count == ports - 1 && accepted == ports - 1 && exitCode == 0;
        Print("demo", worked ? "everything worked" : "something failed, see above");
        return worked;
    }

    private static async Task<PortMapping> MapAsync(RelayClient client, int guestPort)
    {
        PortMapping mapping = await client.MapAsync(new PortMapping(0, guestPort)).ConfigureAwait(false);
        Print("parent", $"map guestPort {guestPort} -> {mapping}");
        return mapping;
    }

    // One udp mapping, from its map to its unmap.
    private static async Task<bool> AskByDatagramAsync(RelayClient client)
    {
        using UdpClient guest = new(new IPEndPoint(IPAddress.Loopback, 0));
        int guestPort = ((IPEndPoint)guest.Client.LocalEndPoint!).Port;
        PortMapping mapping = await client.MapAsync(new PortMapping(IPAddress.Loopback, 0, guestPort, MapProtocol.Udp)).ConfigureAwait(false);
        Print("parent", $"map guestPort {guestPort}, protocol udp -> {mapping}");

        using UdpClient asker = new();
        asker.Connect(mapping.Address, mapping.HostPort);
        string question = $"hello from udp port {mapping.HostPort}";
        _ = await asker.SendAsync(Encoding.UTF8.GetBytes(question)).ConfigureAwait(false);
        UdpReceiveResult heard = await guest.ReceiveAsync().ConfigureAwait(false);
        _ = await guest.SendAsync(Encoding.UTF8.GetBytes($"the guest heard: {Encoding.UTF8.GetString(heard.Buffer)}"), heard.RemoteEndPoint).ConfigureAwait(false);
        string answer = Encoding.UTF8.GetString((await asker.ReceiveAsync().ConfigureAwait(false)).Buffer);
        Print("client", $"{mapping} <- \"{question}\"  -> \"{answer}\"");

        UnmapResult unmapped = await client.UnmapAsync(mapping.Key).ConfigureAwait(false);
        Print("parent", $"unmap {mapping} -> active {unmapped.Active}, reset {unmapped.Reset}");
        return answer == $"the guest heard: {question}" && unmapped is { Active: 0, Reset: 1 };
    }

    // Ends its sending before it reads: both half-closes pass through the relay.
    internal static async Task<string> AskAsync(PortMapping mapping, string question)
    {
        using TcpClient client = new();
        await client.ConnectAsync(mapping.Address, mapping.HostPort).ConfigureAwait(false);
        using StreamReader reader = new(client.GetStream());
        await reader.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(question)).ConfigureAwait(false);
        client.Client.Shutdown(SocketShutdown.Send);
        return await reader.ReadToEndAsync().ConfigureAwait(false);
    }

    internal static async Task ServeGuestAsync(Socket guest)
    {
        while (true)
            _ = AnswerAsync(await guest.AcceptAsync().ConfigureAwait(false));
    }

    private static async Task AnswerAsync(Socket client)
    {
        using StreamReader reader = new(new NetworkStream(client, ownsSocket: true));
        string question = await reader.ReadToEndAsync().ConfigureAwait(false);
        await reader.BaseStream.WriteAsync(Encoding.UTF8.GetBytes($"the guest heard: {question}")).ConfigureAwait(false);
    }

    internal static void Print(string who, string what) => _ = StandardStream.Output.Write(Encoding.UTF8.GetBytes($"{who,-7} {what}\n"));
}
