using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Clients and a server that keep sending each other datagrams while a test runs.</summary>
internal sealed class DatagramLoad : IDisposable
{
    private const int Clients = 50;

    private readonly DatagramPeer _server = new();
    private readonly Group<DatagramPeer> _clients = new(Enumerable.Range(0, Clients).Select(_ => new DatagramPeer()));

    public Mapping Mapping { get; private set; } = null!;

    public static async Task<DatagramLoad> StartAsync(RelayUnderTest relay)
    {
        var load = new DatagramLoad();
        _ = load._server.EchoAsync();
        load.Mapping = (await relay.MapAsync(DatagramPath.Item(load._server.Port, hostPort: Net.FreePort())))[0];
        foreach (var client in load._clients)
        {
            await client.AssertEchoAsync(load.Mapping.EndPoint);

            // Each datagram that arrives is sent back, so that it circulates.
            client.Send(new byte[100], load.Mapping.EndPoint);
            _ = client.EchoAsync();
        }

        return load;
    }

    /// <summary>Ends the server during its traffic; its clients continue to send.</summary>
    public void KillServer()
    {
        _server.Dispose();
        foreach (var client in _clients)
            client.Send([1], Mapping.EndPoint);
    }

    /// <summary>Asserts that the relay has released the port.</summary>
    public void AssertPortFree()
    {
        using var next = new DatagramPeer(port: Mapping.HostPort);
    }

    public void Dispose()
    {
        _server.Dispose();
        _clients.Dispose();
    }
}
