using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Many connections through a few mappings, all open and in use.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly GuestServer _guest = GuestServer.Echo();

    public IReadOnlyList<Mapping> Mappings { get; private set; } = [];

    public List<Socket> Clients { get; } = [];

    public static async Task<Crowd> OpenAsync(RelayUnderTest relay, int connections, int mappings = 20)
    {
        var crowd = new Crowd();
        crowd.Mappings = await relay.MapAsync(
            [.. Enumerable.Range(0, mappings).Select(_ => new MsgMap { ["hostPort"] = Net.FreePort(), ["guestPort"] = crowd._guest.Port })]);
        for (var i = 0; i < connections; i++)
        {
            var client = await crowd.Mappings[i % mappings].ConnectAsync();
            await client.AssertEchoAsync();
            crowd.Clients.Add(client);
        }

        return crowd;
    }

    public async ValueTask DisposeAsync()
    {
        Clients.ForEach(client => client.Dispose());
        await _guest.DisposeAsync();
    }
}
