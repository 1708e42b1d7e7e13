using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Clients and a server that send each other datagrams without end beside what a test does.</summary>
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

            // What comes goes back, and comes again.
            client.Send(new byte[100], load.Mapping.EndPoint);
            _ = client.EchoAsync();
        }

        return load;
    }

    /// <summary>Ends the server amid its traffic, in which its clients go on.</summary>
    public void KillServer()
    {
        _server.Dispose();
        foreach (var client in _clients)
            client.Send([1], Mapping.EndPoint);
    }

    /// <summary>Asserts that the relay has let go of the port.</summary>
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
