using System.Buffers.Binary;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>Section 6 between relay and agent, with a test in the place of either.</summary>
public sealed class FrameTests
{
    public static TheoryData<string> Kinds => ["tcp", "unix"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_relay_sends_a_plain_preamble_and_each_datagram_behind_its_length(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = (await relay.MapAsync(DatagramPath.Item(53, 6)))[0];
        using var client = new DatagramPeer(6);
        client.Send([1, 2, 3], mapping.EndPoint);
        client.Send([], mapping.EndPoint);
        var (connection, preamble) = await agent.AcceptPreambleAsync();
        Assert.Equal([("v", 1L), ("protocol", "udp"), ("family", 6L), ("port", 53L)], preamble.Select(pair => (pair.Key, pair.Value!)));

        // They do not wait for the answer.
        Assert.Equal([0, 3, 1, 2, 3, 0, 0], await connection.ReceiveExactlyAsync(7));
        await connection.SendAllAsync(new byte[] { 0xc0, 0, 2, 4, 5, 0 });
        await client.AssertReceivesAsync([4, 5], mapping.EndPoint);

        // In pieces; two in one, one of them empty; a large one.
        await connection.SendAllAsync(new byte[] { 1, 6 });
        await Limits.PauseAsync(50);
        await connection.SendAllAsync(new byte[] { 0, 0, 0, 2, 7 });
        await client.AssertReceivesAsync([6], mapping.EndPoint);
        await client.AssertReceivesAsync([], mapping.EndPoint);
        await connection.SendAllAsync(new byte[] { 8 });
        await client.AssertReceivesAsync([7, 8], mapping.EndPoint);
        var large = Net.RandomBytes(65_000);
        await connection.SendAllAsync(Frame(large));
        await client.AssertReceivesAsync(large, mapping.EndPoint);

        // More than any datagram can have finds no way on, and harms nothing behind it.
        await connection.SendAllAsync(Frame(new byte[65_535]));
        await connection.SendAllAsync(Frame([9]));
        await client.AssertReceivesAsync([9], mapping.EndPoint);
        Assert.Equal((5L, 1L), await CountersAsync(relay, mapping, "datagramsToHost", "dropped") is [var sent, var dropped] ? (sent - 1, dropped) : default);

        await relay.ResultAsync("unmap", mapping.ToUnmap());
        await Assert.ThrowsAnyAsync<Exception>(() => connection.ReceiveExactlyAsync(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_agent_that_ends_a_flow_or_refuses_it_counts_as_failed(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = (await relay.MapAsync(DatagramPath.Item(53)))[0];
        using var client = new DatagramPeer();
        client.Send([1], mapping.EndPoint);
        var (first, _) = await agent.AcceptPreambleAsync();
        Assert.Equal([0, 1, 1], await first.ReceiveExactlyAsync(3));
        await first.SendAllAsync(new byte[] { 0xc0, 0, 1, 2 });
        first.Dispose();
        await client.AssertReceivesAsync([2], mapping.EndPoint);
        await UntilAsync(relay, mapping, "failed", 1);

        client.Send([3], mapping.EndPoint);
        var (second, _) = await agent.AcceptPreambleAsync();
        await second.SendAllAsync(MsgEncoder.Encode(new MsgMap { ["code"] = -1, ["name"] = "HostUnreachable", ["message"] = "no" }));
        await UntilAsync(relay, mapping, "failed", 2);
        await UntilAsync(relay, mapping, "active", 0);
        Assert.Equal("HostUnreachable", Assert.IsType<MsgMap>((await relay.CountersAsync(mapping))["lastError"])["name"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_flow_that_is_ended_while_it_is_set_up_has_not_failed(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = (await relay.MapAsync(DatagramPath.Item(53, idleMs: 1000)))[0];
        using var client = new DatagramPeer();
        client.Send([1], mapping.EndPoint);
        var (connection, _) = await agent.AcceptPreambleAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => connection.ReceiveExactlyAsync(100));
        await UntilAsync(relay, mapping, "active", 0);
        var counters = await relay.CountersAsync(mapping);
        Assert.Equal((0L, null), (counters["failed"], counters["lastError"]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Datagrams_for_an_agent_that_does_not_read_are_dropped_whole_and_harm_no_other_flow(string kind)
    {
        using var agent = new FakeAgent(kind);
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = (await relay.MapAsync(DatagramPath.Item(53)))[0];
        using var flood = new DatagramPeer();
        using var client = new DatagramPeer();
        flood.Send([1], mapping.EndPoint);
        var (stuck, _) = await agent.AcceptPreambleAsync();
        await stuck.SendAllAsync(new byte[] { 0xc0 });
        var datagram = new byte[5000];
        for (uint sent = 1; Assert.IsType<long>((await relay.CountersAsync(mapping))["dropped"]) < 1000; sent++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(datagram, sent);
            flood.Send(datagram, mapping.EndPoint);
        }

        client.Send([2], mapping.EndPoint);
        var (connection, _) = await agent.AcceptPreambleAsync();
        await connection.SendAllAsync(new byte[] { 0xc0 });
        Assert.Equal([0, 1, 2], await connection.ReceiveExactlyAsync(3));
        await connection.SendAllAsync(new byte[] { 0, 1, 3 });
        await client.AssertReceivesAsync([3], mapping.EndPoint);

        // What had found room is whole and in order. Read before the end: on Windows a reset takes along what was not.
        Assert.Equal([0, 1, 1], await stuck.ReceiveExactlyAsync(3));
        var received = ReceiveUntilEndAsync(stuck);
        await Limits.UntilIdleAsync(relay.Process);
        await relay.ResultAsync("unmap", mapping.ToUnmap());
        var last = 0u;
        var bytes = await received;
        Assert.True(bytes.Length > 2 + datagram.Length, $"{bytes.Length} bytes came.");
        for (var place = 0; place + 2 + datagram.Length <= bytes.Length; place += 2 + datagram.Length)
        {
            Assert.Equal(datagram.Length, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(place)));
            var number = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(place + 2));
            Assert.True(number > last, $"{number} came after {last}.");
            last = number;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_agent_carries_frames_however_they_are_cut(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var server = new DatagramPeer();
        using var relay = await agent.ConnectAsync();
        byte[] all = [.. Preamble.Of(server.Port, protocol: "udp"), .. Frame([1]), .. Frame([]), .. Frame(Net.RandomBytes(3000))];
        foreach (var piece in all.Chunk(7))
        {
            await relay.SendAllAsync(piece);
            await Task.Yield();
        }

        Assert.Null(await relay.ReadAnswerAsync());
        var (first, peer) = await server.ReceiveAsync();
        Assert.Equal([1], first);
        await server.AssertReceivesAsync([], peer);
        await server.AssertReceivesAsync(Net.RandomBytes(3000), peer);
        server.Send([5, 6], peer);
        server.Send([], peer);
        Assert.Equal([0, 2, 5, 6, 0, 0], await relay.ReceiveExactlyAsync(6));

        // The server is gone: the flow ends, after what it had said.
        server.Dispose();
        await relay.SendAllAsync(Frame([7]));
        await relay.AssertEndAsync();
    }

    private static byte[] Frame(byte[] datagram)
    {
        byte[] frame = [0, 0, .. datagram];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)datagram.Length);
        return frame;
    }

    private static async Task<long[]> CountersAsync(RelayUnderTest relay, Mapping mapping, params string[] keys)
    {
        var counters = await relay.CountersAsync(mapping);
        return [.. keys.Select(key => Assert.IsType<long>(counters[key]))];
    }

    private static Task UntilAsync(RelayUnderTest relay, Mapping mapping, string counter, long value) => Limits.UntilAsync(
        async () => (await relay.CountersAsync(mapping))[counter] is long now && now == value, $"{counter} to be {value}");

    private static async Task<byte[]> ReceiveUntilEndAsync(Socket socket)
    {
        var bytes = new List<byte>();
        var buffer = new byte[65536];
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(Limits.Hang) is > 0 and var count)
                bytes.AddRange(buffer.AsSpan(0, count));
        }
        catch (SocketException)
        {
            // A flow that is ended at once may be reset.
        }

        return [.. bytes];
    }
}
