using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Both ends of one relayed connection, in the test's hands.</summary>
internal sealed record RelayedPair(Mapping Mapping, Socket Client, Socket Guest) : IDisposable
{
    public static async Task<RelayedPair> OpenAsync(RelayUnderTest relay, int family = 4)
    {
        using var listener = Net.Listen(Net.Loopback(family));
        var mapping = await relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port, Net.FreePort(), family);
        return await OpenAsync(mapping, listener);
    }

    /// <summary>One more connection through a mapping whose server is <paramref name="listener"/>.</summary>
    public static async Task<RelayedPair> OpenAsync(Mapping mapping, Socket listener)
    {
        var client = mapping.Open();
        await client.ConnectAsync(mapping.EndPoint).WaitAsync(Limits.Hang);
        var guest = await listener.AcceptConnectionAsync();
        return new RelayedPair(mapping, client, guest);
    }

    /// <summary>Both ends, the one that begins first.</summary>
    public (Socket First, Socket Second) From(bool client) => client ? (Client, Guest) : (Guest, Client);

    public void Dispose()
    {
        Client.Dispose();
        Guest.Dispose();
    }
}
