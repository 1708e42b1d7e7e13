using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RelayProtocol;

namespace Wslrelay.Cli;

/// <summary>
/// <c>demo</c>: the whole on one machine. A parent that starts the relay as its child, a server that stands for the guest's, and a user who
/// connects to every mapped port. Says what it does as it does it; succeeds only if all of it worked.
/// </summary>
internal sealed class DemoRunner(int ports)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();

    internal static ExitCode Run(int ports)
    {
        try
        {
            return new DemoRunner(ports).RunAsync().WaitAsync(Patience).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IOException or SocketException or RelayException or RelayDisconnectedException or TimeoutException or InvalidOperationException)
        {
            Diagnostics.StandardError.WriteLine($"the demo failed: {e.Message}");
            return ExitCode.Failed;
        }
    }

    private static string ProgramPath() =>
        Path.Combine(AppContext.BaseDirectory, OperatingSystemSuffix("wslrelay")) is var beside && File.Exists(beside)
            ? beside
            : Environment.ProcessPath ?? throw new InvalidOperationException("the program does not know its own path");

    // The name of the file that runs now tells what this system puts behind a program's name.
    private static string OperatingSystemSuffix(string name) => name + Path.GetExtension(Environment.ProcessPath);

    private static async Task ServeGuestAsync(TcpListener guest)
    {
        while (true)
        {
            TcpClient client = await guest.AcceptTcpClientAsync().ConfigureAwait(false);
            _ = AnswerAsync(client);
        }

        static async Task AnswerAsync(TcpClient client)
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                using StreamReader reader = new(stream, leaveOpen: true);
                string question = await reader.ReadToEndAsync().ConfigureAwait(false);
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"the guest heard: {question}")).ConfigureAwait(false);
            }
        }
    }

    // Sends, ends its sending, and reads until the guest has ended its own: both ends pass through the relay.
    private static async Task<string> AskAsync(PortMapping mapping, string question)
    {
        using TcpClient user = new(mapping.Address.AddressFamily);
        await user.ConnectAsync(mapping.Address, mapping.HostPort).ConfigureAwait(false);
        NetworkStream stream = user.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(question)).ConfigureAwait(false);
        user.Client.Shutdown(SocketShutdown.Send);
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync().ConfigureAwait(false);
    }

    private async Task<ExitCode> RunAsync()
    {
        using TcpListener guest = new(IPAddress.Loopback, 0);
        guest.Start(backlog: 512);
        int guestPort = ((IPEndPoint)guest.LocalEndpoint).Port;
        _ = ServeGuestAsync(guest);
        Say("guest", $"listens on its own 127.0.0.1:{guestPort}");

        Stopwatch watch = Stopwatch.StartNew();
        await using RelayProcess relay = RelayProcess.Start(new RelayStartInfo(ProgramPath()));
        RelayHello hello = await relay.Client.HelloAsync().ConfigureAwait(false);
        Say("relay", $"{hello.Name} {hello.Version} runs as process {hello.ProcessId}, target {hello.Target} ({watch.ElapsedMilliseconds} ms)");

        watch.Restart();
        PortMapping[] mapped = await Task.WhenAll(Enumerable.Range(0, ports).Select(_ => MapAsync(relay.Client, guestPort))).ConfigureAwait(false);
        Say("parent", $"mapped {mapped.Length} ports in {watch.ElapsedMilliseconds} ms");

        watch.Restart();
        int right = 0;
        foreach (PortMapping mapping in mapped)
        {
            string question = $"hello from port {mapping.HostPort}";
            string answer = await AskAsync(mapping, question).ConfigureAwait(false);
            Say("user", $"{mapping} <- \"{question}\"  -> \"{answer}\"");
            right += answer == $"the guest heard: {question}" ? 1 : 0;
        }

        Say("user", $"{right} of {ports} ports gave the right answer, in {watch.ElapsedMilliseconds} ms");
        return await EndAsync(relay, mapped, right).ConfigureAwait(false);
    }

    private async Task<PortMapping> MapAsync(RelayClient client, int guestPort)
    {
        PortMapping mapping = await client.MapAsync(new PortMapping(0, guestPort)).ConfigureAwait(false);
        Say("parent", $"map guestPort {guestPort} -> {mapping}");
        return mapping;
    }

    private async Task<ExitCode> EndAsync(RelayProcess relay, PortMapping[] mapped, int right)
    {
        UnmapResult unmapped = await relay.Client.UnmapAsync(mapped[0].Key, drain: TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        Say("parent", $"unmap {mapped[0]} -> active {unmapped.Active}, reset {unmapped.Reset}");
        IReadOnlyList<PortMappingStatus> list = await relay.Client.ListAsync().ConfigureAwait(false);
        long accepted = list.Sum(status => status.Accepted);
        Say("parent", $"list -> {list.Count} mappings, {accepted} connections, {list.Sum(status => status.BytesToGuest)} bytes to the guest, {list.Sum(status => status.BytesToHost)} to the host");

        Stopwatch watch = Stopwatch.StartNew();
        relay.SignalExit();
        int? exitCode = await relay.WaitForExitAsync().ConfigureAwait(false);
        Say("parent", $"exit event signalled -> the relay ended with {exitCode} ({watch.ElapsedMilliseconds} ms)");

        bool worked = right == ports && list.Count == ports - 1 && accepted == ports - 1 && exitCode == 0;
        Say("demo", worked ? "all of it worked" : "it did not work: see above");
        return worked ? ExitCode.Asked : ExitCode.Failed;
    }

    private void Say(string who, string what)
    {
        lock (_lock)
        {
            Console.WriteLine($"{who,-7} {what}");
        }
    }
}
