using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Both ends of one relayed connection, in the test's hands.</summary>
internal sealed record RelayedPair(Mapping Mapping, Socket Client, Socket Guest) : IDisposable
{
    public static async Task<RelayedPair> OpenAsync(RelayUnderTest relay, int family = 4, int? bufferSize = null)
    {
        using var listener = Net.Listen(Net.Loopback(family));
        var mapping = await relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port, Net.FreePort(), family);
        return await OpenAsync(mapping, listener, bufferSize);
    }

    /// <summary>One more connection through a mapping whose server is <paramref name="listener"/>.</summary>
    public static async Task<RelayedPair> OpenAsync(Mapping mapping, Socket listener, int? bufferSize = null)
    {
        var client = mapping.Open();
        SetBuffers(client, bufferSize);
        await client.ConnectAsync(mapping.EndPoint).WaitAsync(Limits.Hang);
        var guest = await listener.AcceptConnectionAsync();
        SetBuffers(guest, bufferSize);
        return new RelayedPair(mapping, client, guest);
    }

    /// <summary>Both ends, the one that begins first.</summary>
    public (Socket First, Socket Second) From(bool client) => client ? (Client, Guest) : (Guest, Client);

    // Before a client connects: the window that is offered at first follows from it.
    private static void SetBuffers(Socket socket, int? size)
    {
        if (size is { } bytes)
            (socket.ReceiveBufferSize, socket.SendBufferSize) = (bytes, bytes);
    }

    public void Dispose()
    {
        Client.Dispose();
        Guest.Dispose();
    }
}
