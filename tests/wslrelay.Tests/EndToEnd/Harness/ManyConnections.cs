using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Many connections through a few mappings, all open and in use.</summary>
internal sealed class ManyConnections : IAsyncDisposable
{
    private readonly GuestServer _guest = GuestServer.Echo();

    public IReadOnlyList<Mapping> Mappings { get; private set; } = [];

    public List<Socket> Clients { get; } = [];

    public static async Task<ManyConnections> OpenAsync(RelayUnderTest relay, int connections, int mappings = 20)
    {
        var many = new ManyConnections();
        many.Mappings = await relay.MapAsync(
            [.. Enumerable.Range(0, mappings).Select(_ => new MsgMap { ["hostPort"] = Net.FreePort(), ["guestPort"] = many._guest.Port })]);
        for (var i = 0; i < connections; i++)
        {
            var client = await many.Mappings[i % mappings].ConnectAsync();
            await client.AssertEchoAsync();
            many.Clients.Add(client);
        }

        return many;
    }

    public async ValueTask DisposeAsync()
    {
        Clients.ForEach(client => client.Dispose());
        await _guest.DisposeAsync();
    }
}
