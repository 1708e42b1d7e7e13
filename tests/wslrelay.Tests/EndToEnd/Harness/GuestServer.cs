using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A server in the guest: on the loopback address of its family, with a handler for each connection.</summary>
internal sealed class GuestServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly ConcurrentBag<Socket> _connections = [];
    private readonly Func<Socket, Task> _handler;
    private volatile bool _disposed;

    private GuestServer(Func<Socket, Task> handler, int family, int port)
    {
        _handler = handler;
        _listener = Net.Listen(Net.Loopback(family, port));
        _ = Task.Run(AcceptAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public static GuestServer Start(Func<Socket, Task> handler, int family = 4, int port = 0) => new(handler, family, port);

    /// <summary>Sends back what it receives, and ends when its client does.</summary>
    public static GuestServer Echo(int family = 4, int port = 0) => Start(EchoAsync, family, port);

    /// <summary>Sends these bytes to each client, then ends.</summary>
    public static GuestServer Content(byte[] content, int family = 4, int port = 0) =>
        Start(socket => socket.SendAllAsync(content), family, port);

    public ValueTask DisposeAsync()
    {
        _disposed = true;
        _listener.Dispose();
        foreach (var connection in _connections)
            connection.Dispose();

        return ValueTask.CompletedTask;
    }

    private static async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            await socket.SendAllAsync(buffer.AsMemory(0, count));
    }

    private async Task AcceptAsync()
    {
        while (!_disposed)
        {
            try
            {
                var connection = await _listener.AcceptAsync();
                _connections.Add(connection);
                _ = HandleAsync(connection);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The server was disposed; or, on Windows, one connection was reset before it was accepted, and the next accept may succeed.
            }
        }
    }

    private async Task HandleAsync(Socket connection)
    {
        try
        {
            await _handler(connection);
            connection.Shutdown(SocketShutdown.Send);
            await connection.DrainAsync();
            connection.Dispose();
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            connection.Dispose();
        }
    }
}
