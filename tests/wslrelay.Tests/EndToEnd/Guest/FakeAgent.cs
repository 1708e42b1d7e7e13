using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>A listener in the agent's place, whose connections the test serves.</summary>
internal sealed class FakeAgent : IDisposable
{
    private readonly GuestLink _link;
    private readonly Socket _listener;
    private readonly ConcurrentBag<Socket> _connections = [];

    public FakeAgent(string kind, int backlog = 1024)
    {
        _link = GuestLink.Create(kind);
        _listener = _link.Listen(backlog);
    }

    /// <summary>The relay's <c>--target</c>.</summary>
    public string Target => _listener.LocalEndPoint is IPEndPoint local ? $"tcp:{local}" : _link.ListenText;

    /// <summary>The file of a Unix socket.</summary>
    public string Path => _link.Path;

    /// <summary>The relay's next connection, its preamble not read yet.</summary>
    public async Task<Socket> AcceptAsync()
    {
        var connection = await _listener.AcceptConnectionAsync();
        _connections.Add(connection);
        return connection;
    }

    /// <summary>The relay's next connection, and its preamble.</summary>
    public async Task<(Socket Connection, MsgMap Preamble)> AcceptPreambleAsync()
    {
        var connection = await AcceptAsync();
        var bytes = new List<byte>();
        while (true)
        {
            bytes.AddRange(await connection.ReceiveExactlyAsync(1));
            if (MsgDecoder.TryDecode([.. bytes], out var value, out _))
                return (connection, (MsgMap)value!);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var connection in _connections)
            connection.Dispose();

        _link.Dispose();
    }
}
