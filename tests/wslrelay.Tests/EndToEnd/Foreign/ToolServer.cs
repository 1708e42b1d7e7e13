using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Foreign;

/// <summary>A foreign server in the foreground, ready on its loopback port, and killed at the end of its test.</summary>
internal sealed class ToolServer : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private ToolServer(Process process)
    {
        _process = process;
        _ = CopyAsync(process.StandardOutput);
        _ = CopyAsync(process.StandardError);
    }

    public static Task<ToolServer> StartAsync(int port, params string[] command) => StartAsync(Net.Loopback(4, port), command);

    public static Task<ToolServer> StartAsync(IPEndPoint listens, params string[] command) => StartAsync(listens, IsReadyAsync, command);

    /// <summary>A server of datagrams: it is ready once it has its port.</summary>
    public static Task<ToolServer> StartDatagramsAsync(int port, params string[] command) => StartAsync(Net.Loopback(4, port), HasPortAsync, command);

    private static async Task<ToolServer> StartAsync(IPEndPoint listens, Func<IPEndPoint, Task<bool>> isReady, string[] command)
    {
        var server = new ToolServer(RelayProgram.StartCommand(command));
        try
        {
            await Limits.UntilAsync(() => server._process.HasExited ? throw server.Ended() : isReady(listens), $"{command[0]} to listen on {listens}");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private InvalidOperationException Ended() => new($"It ended with {_process.ExitCode}: {_output}");

    private static Task<bool> HasPortAsync(IPEndPoint listens)
    {
        using var probe = new Socket(listens.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            probe.Bind(listens);
            return Task.FromResult(false);
        }
        catch (SocketException)
        {
            return Task.FromResult(true);
        }
    }

    private static async Task<bool> IsReadyAsync(IPEndPoint listens)
    {
        using var probe = new Socket(listens.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await probe.ConnectAsync(listens);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task CopyAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_output)
            {
                _output.AppendLine(line);
            }
        }
    }
}
