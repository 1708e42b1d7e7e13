using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Foreign;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>Real servers in a guest with a network of its own, one after the other.</summary>
[Collection(Alone.Name)]
public abstract class ServerTests(string kind)
{
    private const string Node = "/usr/bin/node";

    // One of each kind, or more by hand.
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("WSLRELAY_SERVERS") ?? "4", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Each_is_reached_while_it_runs_and_refused_after_its_end()
    {
        Nginx.Require();
        RequiredTool.Require(Node, "nodejs", "--version");
        RequiredTool.Require("redis-server", "redis-server", "--version");
        await using var guest = await NetworkGuest.StartAsync(kind);
        await using var relay = RelayUnderTest.Serve("--target", guest.Target);
        using var folder = new TemporaryFolder();
        var port = Net.FreePort();
        string[][] servers =
        [
            [NetworkGuest.Python, "-m", "http.server", $"{port}", "--bind", "127.0.0.1"],
            Nginx.Command(folder, port),
            [Node, "-e", $"require('http').createServer((_, answer) => answer.end()).listen({port})"],
            ["redis-server", "--port", $"{port}", "--save", "", "--dir", folder.Path],
        ];
        await relay.ResultAsync("auto", new MsgMap { ["ports"] = $"{port}" });
        var (reached, refused) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 0; i < Rounds; i++)
        {
            var command = servers[i % servers.Length];
            var clock = Stopwatch.StartNew();
            using var server = guest.Run(command);
            await Limits.UntilAsync(async () => await AskAsync(port) is { Length: > 0 }, $"{command[0]} to answer");
            reached = TimeSpan.FromTicks(Math.Max(reached.Ticks, clock.Elapsed.Ticks));
            server.Kill();
            clock.Restart();
            await Limits.UntilAsync(async () => await AskAsync(port) is null, $"{command[0]} to be refused");
            refused = TimeSpan.FromTicks(Math.Max(refused.Ticks, clock.Elapsed.Ticks));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{Rounds} servers: at most {reached.TotalSeconds:F2} s from start to answer, {refused.TotalSeconds:F2} s from end to refusal");
    }

    // What the server says, nothing if the connection is reset, null if it is refused.
    private static async Task<byte[]?> AskAsync(int port)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await client.ConnectAsync(Net.Loopback(4, port));

            // redis says that it does not understand.
            await client.SendAllAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            return await client.ReceiveToEndAsync();
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.ConnectionRefused ? null : [];
        }
    }
}

public sealed class UnixServerTests() : ServerTests("unix");

public sealed class PythonServerTests() : ServerTests("python");

/// <summary>A Windows relay can have it too.</summary>
public sealed class CableServerTests() : ServerTests(GuestLink.Cable);

/// <summary>Where this kernel has vsock, as <see cref="VSockLinkTests"/>.</summary>
public sealed class VSockServerTests() : ServerTests("vsock");
