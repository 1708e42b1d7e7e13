using System.Buffers.Binary;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Section 6, the frames of a flow through an agent: whatever comes from the other side harms no other flow and leaves nothing behind.</summary>
public sealed class BrokenFrameTests
{
    private const int Streams = 300;
    private const int MaxDatagram = 65_507;

    [Fact]
    public async Task The_agent_survives_broken_frames()
    {
        await using var path = await DatagramPath.OpenAsync("tcp");
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        using var deaf = new DatagramPeer();
        var mapping = await path.MapAsync(server.Port);
        using var client = new DatagramPeer();
        await client.AssertEchoAsync(mapping.EndPoint);
        var descriptors = new Descriptors(path.Agent!.Process);
        var random = new Random(1);
        for (var i = 0; i < Streams; i++)
        {
            using var relay = await path.Agent.ConnectAsync();
            relay.Send(Preamble.Of(i % 4 == 0 ? Net.FreePort() : deaf.Port, protocol: "udp"));
            await SendBrokenAsync(relay, random);
            await client.AssertEchoAsync(mapping.EndPoint);
        }

        await descriptors.AssertBackAsync();
        Assert.Equal((1L, 0L), await CountsAsync(path.Relay, mapping));
    }

    [Fact]
    public async Task The_relay_survives_an_agent_that_sends_broken_frames()
    {
        using var agent = new FakeAgent("tcp");
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mappings = await relay.MapAsync(DatagramPath.Item(1), DatagramPath.Item(2));
        using var client = new DatagramPeer();
        client.Send([1], mappings[0].EndPoint);
        var (good, _) = await agent.AcceptPreambleAsync();
        good.Send([0xc0]);
        Assert.Equal([0, 1, 1], await good.ReceiveExactlyAsync(3));
        var descriptors = new Descriptors(relay.Process);
        var random = new Random(2);
        for (var i = 0; i < Streams; i++)
        {
            using var other = new DatagramPeer();
            other.Send([2], mappings[1].EndPoint);
            var (bad, _) = await agent.AcceptPreambleAsync();
            bad.Send([0xc0]);
            await SendBrokenAsync(bad, random);
            bad.Dispose();
            good.Send([0, 2, 3, 4, 0, 0]);
            await client.AssertReceivesAsync([3, 4], mappings[0].EndPoint);
            await client.AssertReceivesAsync([], mappings[0].EndPoint);
        }

        await Limits.UntilAsync(async () => await CountsAsync(relay, mappings[1]) == (0L, Streams), "every broken flow to end, by the agent's doing");
        await descriptors.AssertBackAsync();
        Assert.Equal((1L, 0L), await CountsAsync(relay, mappings[0]));
    }

    [Fact]
    public async Task A_new_agent_serves_where_the_old_one_was_killed()
    {
        using var link = GuestLink.Create("unix");
        var killed = await AgentUnderTest.StartAsync(link);
        await using var relay = RelayUnderTest.Serve("--target", link.Target(killed.Listens));
        using var server = new DatagramPeer();
        var echo = server.EchoAsync();
        var mapping = (await relay.MapAsync(DatagramPath.Item(server.Port)))[0];
        using var clients = new Group<DatagramPeer>(Enumerable.Range(0, 20).Select(_ => new DatagramPeer()));
        foreach (var client in clients)
            await client.AssertEchoAsync(mapping.EndPoint);

        using var load = await DatagramLoad.StartAsync(relay);
        await killed.DisposeAsync();
        await Limits.UntilAsync(async () => await CountsAsync(relay, mapping) == (0L, 20L), "the flows to end");
        await using var agent = await AgentUnderTest.StartAsync(link);
        foreach (var client in clients)
            await client.AssertEchoAsync(mapping.EndPoint);
    }

    private static async Task<(long Active, long Failed)> CountsAsync(RelayUnderTest relay, Mapping mapping) =>
        await relay.CountersAsync(mapping) is var counters ? ((long)counters["active"]!, (long)counters["failed"]!) : default;

    // Good frames are among them; the last is cut off.
    private static async Task SendBrokenAsync(Socket socket, Random random)
    {
        try
        {
            for (var i = random.Next(20); i >= 0; i--)
            {
                var frame = new byte[2 + random.Next(3) switch { 0 => 0, 1 => random.Next(2000), _ => random.Next(MaxDatagram, ushort.MaxValue + 1) }];
                BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)(frame.Length - 2));
                await socket.SendAsync(i == 0 ? frame.AsMemory(0, 1) : frame);
            }

            if (random.Next(2) == 0)
                socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // A flow to a port where nobody listens has ended.
        }
    }
}
