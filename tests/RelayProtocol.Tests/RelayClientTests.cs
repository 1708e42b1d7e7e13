using System.Net;
using RelayProtocol.Tests.Rpc;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>Requests and answers, byte for byte.</summary>
public class RelayClientTests
{
    private static readonly PortMapping Web = new(8080, 80);

    private static Dictionary<string, object?> Mapping(int hostPort, int guestPort) => new()
    {
        ["protocol"] = "tcp", ["family"] = 4, ["address"] = "127.0.0.1", ["hostPort"] = hostPort, ["guestPort"] = guestPort,
    };

    [Fact]
    public async Task Hello_is_asked_and_answered()
    {
        await using var relay = new FakeRelay();
        Task<RelayHello> call = relay.Client.HelloAsync(FakeRelay.Soon);
        byte[] expected = [0x94, 0, 1, 0xa5, .. "hello"u8, 0x91, 0x81, 0xa8, .. "protocol"u8, 1];
        Assert.Equal(expected, await relay.ReadAsync(expected.Length));
        await relay.WriteAsync([0x94, 1, 1, 0xc0, 0x86, 0xa4, .. "name"u8, 0xa8, .. "wslrelay"u8, 0xa7, .. "version"u8, 0xa5, .. "1.2.3"u8,
            0xa8, .. "protocol"u8, 1, 0xa3, .. "pid"u8, 0xcd, 0x10, 0, 0xa6, .. "target"u8, 0xa6, .. "direct"u8,
            0xac, .. "capabilities"u8, 0x92, 0xa3, .. "tcp"u8, 0xa1, .. "x"u8]);
        RelayHello hello = await call;
        Assert.Equal(("wslrelay", "1.2.3", 1, 4096, "direct"), (hello.Name, hello.Version, hello.Protocol, hello.ProcessId, hello.Target));
        Assert.Equal(["tcp", "x"], hello.Capabilities);
    }

    [Fact]
    public async Task Map_sends_every_key_and_returns_what_was_bound()
    {
        await using var relay = new FakeRelay();
        Task<PortMapping> call = relay.Client.MapAsync(new PortMapping(0, 80), FakeRelay.Soon);
        byte[] expected = [0x94, 0, 1, 0xa3, .. "map"u8, 0x91, 0x85, 0xa8, .. "protocol"u8, 0xa3, .. "tcp"u8, 0xa6, .. "family"u8, 4,
            0xa7, .. "address"u8, 0xa9, .. "127.0.0.1"u8, 0xa8, .. "hostPort"u8, 0, 0xa9, .. "guestPort"u8, 80];
        Assert.Equal(expected, await relay.ReadAsync(expected.Length));
        await relay.WriteAsync(FakeRelay.Result(1, new object[] { Mapping(40000, 80) }));
        Assert.Equal(new PortMapping(40000, 80), await call);
    }

    [Fact]
    public async Task Unmap_sends_the_identity_and_the_drain()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<UnmapResult>> call = relay.Client.UnmapAsync([new(IPAddress.IPv6Loopback, 1)], TimeSpan.FromMilliseconds(99.5), FakeRelay.Soon);
        byte[] expected = [0x94, 0, 1, 0xa5, .. "unmap"u8, 0x91, 0x85, 0xa8, .. "protocol"u8, 0xa3, .. "tcp"u8, 0xa6, .. "family"u8, 6,
            0xa7, .. "address"u8, 0xa3, .. "::1"u8, 0xa8, .. "hostPort"u8, 1, 0xa7, .. "drainMs"u8, 100];
        Assert.Equal(expected, await relay.ReadAsync(expected.Length));
        await relay.WriteAsync(FakeRelay.Result(1, new object[] { new Dictionary<string, object?> { ["active"] = 0, ["reset"] = 3 } }));
        Assert.Equal([new UnmapResult(0, 3)], await call);
    }

    [Fact]
    public async Task List_returns_counters_beyond_32_bits()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<PortMappingStatus>> call = relay.Client.ListAsync(FakeRelay.Soon);
        int id = await relay.ReadListAsync();
        var status = Mapping(8080, 80);
        (status["accepted"], status["active"], status["failed"]) = (3, 1, 2);
        (status["bytesToGuest"], status["bytesToHost"]) = (5_000_000_000L, long.MaxValue);
        await relay.WriteAsync(FakeRelay.Result(id, new object[] { status }));
        Assert.Equal([new PortMappingStatus(Web, 3, 1, 2, 5_000_000_000, long.MaxValue) { Since = DateTimeOffset.UnixEpoch }], await call);
    }

    [Fact]
    public async Task Connections_sends_the_limit_and_the_mappings_and_returns_what_is_known()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<RelayConnection>> call = relay.Client.ConnectionsAsync([Web.Key], limit: 7, FakeRelay.Soon);
        byte[] expected = [0x94, 0, 1, 0xab, .. "connections"u8, 0x92, 0x81, 0xa5, .. "limit"u8, 7, 0x84, 0xa8, .. "protocol"u8, 0xa3, .. "tcp"u8,
            0xa6, .. "family"u8, 4, 0xa7, .. "address"u8, 0xa9, .. "127.0.0.1"u8, 0xa8, .. "hostPort"u8, 0xcd, 0x1f, 0x90];
        Assert.Equal(expected, await relay.ReadAsync(expected.Length));
        Dictionary<string, object?> known = Mapping(8080, 80), unknown = Mapping(8080, 80);
        (known["client"], known["since"], known["state"]) = ("[::1]:5", 1000, "serverEnded");
        (known["bytesToGuest"], known["bytesToHost"]) = (5_000_000_000L, 0);
        (unknown["client"], unknown["since"], unknown["state"]) = (null, 1000, "of a later version");
        await relay.WriteAsync(FakeRelay.Result(1, new object[] { known, unknown }));
        DateTimeOffset since = DateTimeOffset.UnixEpoch.AddSeconds(1);
        Assert.Equal(
            [
                new(Web.Key, 80, IPEndPoint.Parse("[::1]:5"), since, RelayConnectionState.ServerEnded, 5_000_000_000, 0),
                new(Web.Key, 80, null, since, RelayConnectionState.Unknown, null, null),
            ],
            await call);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => relay.Client.ConnectionsAsync(limit: 100_001, cancellationToken: FakeRelay.Soon));

        // In params the limit comes before the keys.
        call = relay.Client.ConnectionsAsync([Web.Key], limit: 7, FakeRelay.Soon);
        await relay.ReadAsync(expected.Length);
        await relay.WriteAsync(FakeRelay.Error(2, new Dictionary<string, object?>
        {
            ["code"] = unchecked((int)0x80070490), ["name"] = "NotFound", ["message"] = "127.0.0.1:8080/tcp is not mapped", ["index"] = 1,
        }));
        Assert.Equal(0, (await Assert.ThrowsAsync<RelayException>(() => call)).Error.Index);
    }

    [Fact]
    public async Task Events_are_those_of_its_subscription_until_the_relay_is_gone()
    {
        await using var relay = new FakeRelay();
        await using IAsyncEnumerator<RelayEvent> events = relay.Client.EventsAsync(FakeRelay.Soon).GetAsyncEnumerator(FakeRelay.Soon);
        ValueTask<bool> first = events.MoveNextAsync();
        byte[] expected = [0x94, 0, 1, 0xa9, .. "subscribe"u8, 0x90];
        Assert.Equal(expected, await relay.ReadAsync(expected.Length));
        static byte[] Event(string name, long count) => Pack.Array(
            2, "event", new object[] { new Dictionary<string, object?> { ["event"] = name, ["at"] = 1, ["count"] = count } });
        await relay.WriteAsync(FakeRelay.Result(1, new Dictionary<string, object?> { ["events"] = new object[] { "mapped" } }));
        await relay.WriteAsync([.. Event("lost", 1), .. Event("of a later version", 2), .. Event("lost", 3)]);
        Assert.True(await first);
        Assert.Equal(1, Assert.IsType<LostEvent>(events.Current).Count);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(3, Assert.IsType<LostEvent>(events.Current).Count);
        relay.CloseOutput();
        await Assert.ThrowsAsync<RelayDisconnectedException>(async () => await events.MoveNextAsync());
    }

    [Fact]
    public async Task Events_that_are_not_read_are_counted_and_hold_up_no_call()
    {
        await using var relay = new FakeRelay();
        await using IAsyncEnumerator<RelayEvent> events = relay.Client.EventsAsync(FakeRelay.Soon).GetAsyncEnumerator(FakeRelay.Soon);
        ValueTask<bool> first = events.MoveNextAsync();
        await relay.ReadAsync(14);
        await relay.WriteAsync(FakeRelay.Result(1, new Dictionary<string, object?> { ["events"] = Array.Empty<object>() }));
        byte[] item = Pack.Array(2, "event", new object[] { new Dictionary<string, object?> { ["event"] = "agent", ["at"] = 1, ["state"] = "up" } });
        await relay.WriteAsync(item);
        Assert.True(await first);
        for (int i = 0; i < 1500; i++)
            await relay.WriteAsync(item);

        Task<IReadOnlyList<PortMappingStatus>> call = relay.Client.ListAsync(FakeRelay.Soon);
        await relay.WriteAsync(FakeRelay.Result(await relay.ReadListAsync(), Array.Empty<object>()));
        Assert.Empty(await call);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(await events.MoveNextAsync());
            Assert.IsType<AgentEvent>(events.Current);
        }

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(500, Assert.IsType<LostEvent>(events.Current).Count);
        await relay.WriteAsync(item);
        Assert.True(await events.MoveNextAsync());
        Assert.IsType<AgentEvent>(events.Current);
    }

    [Fact]
    public async Task An_error_answer_fails_its_call_only()
    {
        await using var relay = new FakeRelay();
        Task<PortMapping> refused = relay.Client.MapAsync(Web, FakeRelay.Soon);
        await relay.ReadAsync(71);
        await relay.WriteAsync(FakeRelay.Error(1, new Dictionary<string, object?>
        {
            ["code"] = unchecked((int)0x80072740), ["name"] = "AddressInUse", ["message"] = "127.0.0.1:8080/tcp is mapped already", ["index"] = 0,
        }));
        RelayException thrown = await Assert.ThrowsAsync<RelayException>(() => refused);
        Assert.Equal(new RelayError(RelayErrorCode.AddressInUse, "127.0.0.1:8080/tcp is mapped already", 0), thrown.Error);
        Task<IReadOnlyList<PortMappingStatus>> next = relay.Client.ListAsync(FakeRelay.Soon);
        await relay.WriteAsync(FakeRelay.Result(await relay.ReadListAsync(), Array.Empty<object>()));
        Assert.Empty(await next);
    }

    [Fact]
    public async Task Answers_may_come_in_any_order_in_any_pieces_and_to_nobody()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<PortMappingStatus>>[] calls = [.. Enumerable.Range(0, 3).Select(_ => relay.Client.ListAsync(FakeRelay.Soon))];
        for (int i = 1; i <= 3; i++)
            Assert.Equal(i, await relay.ReadListAsync());
        await relay.WriteAsync(FakeRelay.Result(77, Array.Empty<object>()));
        await relay.WriteAsync(FakeRelay.Result(3, Array.Empty<object>()));
        Assert.Empty(await calls[2]);
        Assert.False(calls[0].IsCompleted || calls[1].IsCompleted);
        foreach (byte piece in (byte[])[.. FakeRelay.Result(2, Array.Empty<object>()), .. FakeRelay.Result(1, Array.Empty<object>())])
            await relay.WriteAsync(piece);
        Assert.Empty(await calls[1]);
        Assert.Empty(await calls[0]);
    }

    [Fact]
    public async Task Ten_thousand_calls_can_be_under_way()
    {
        await using var relay = new FakeRelay();
        const int Count = 10_000;
        Task server = Serve();
        async Task Serve()
        {
            // The length of a list request depends on its id alone: fixint, uint8, uint16.
            var answers = new List<byte>();
            for (int id = 1; id <= Count; id++)
            {
                await relay.ReadAsync(id < 128 ? 9 : id < 256 ? 10 : 11);
                answers.AddRange(FakeRelay.Result(id, Array.Empty<object>()));
            }
            await relay.WriteAsync([.. answers]);
        }
        var calls = new Task<IReadOnlyList<PortMappingStatus>>[Count];
        Parallel.For(0, Count, i => calls[i] = relay.Client.ListAsync(FakeRelay.Soon));
        await server;
        await Task.WhenAll(calls).WaitAsync(FakeRelay.Soon);
    }

    [Fact]
    public async Task A_request_that_a_relay_would_refuse_is_not_sent()
    {
        await using var relay = new FakeRelay();
        PortMapping[] mappings = [.. Enumerable.Range(10000, 2000).Select(p => new PortMapping(p, p))];
        ArgumentException thrown = await Assert.ThrowsAsync<ArgumentException>(() => relay.Client.MapAsync(mappings, FakeRelay.Soon));
        int fitting = int.Parse(thrown.Message.Split("the first ")[1].Split(' ')[0]);
        Assert.InRange(fitting, 800, 1100);
        await Assert.ThrowsAsync<ArgumentException>(() => relay.Client.MapAsync(mappings[..(fitting + 1)], FakeRelay.Soon));
        _ = relay.Client.MapAsync(mappings[..fitting], FakeRelay.Soon);
        Assert.Equal(0x94, (await relay.ReadAsync(60000))[0]);
        await Assert.ThrowsAsync<ArgumentException>(() => relay.Client.MapAsync([], FakeRelay.Soon));
        await Assert.ThrowsAsync<ArgumentException>(() => relay.Client.UnmapAsync([], null, FakeRelay.Soon));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => relay.Client.UnmapAsync(Web.Key, TimeSpan.FromMilliseconds(-1), FakeRelay.Soon));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => relay.Client.UnmapAsync(Web.Key, TimeSpan.FromHours(1.01), FakeRelay.Soon));
    }

    [Fact]
    public async Task A_cancelled_call_ends_at_once_and_its_late_answer_is_dropped()
    {
        await using var relay = new FakeRelay();
        using var cancel = new CancellationTokenSource();
        Task<IReadOnlyList<PortMappingStatus>> cancelled = relay.Client.ListAsync(cancel.Token);
        Task<IReadOnlyList<PortMappingStatus>> other = relay.Client.ListAsync(FakeRelay.Soon);
        Assert.Equal(1, await relay.ReadListAsync());
        Assert.Equal(2, await relay.ReadListAsync());
        await cancel.CancelAsync();
        OperationCanceledException thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(FakeRelay.Soon));
        Assert.Equal(cancel.Token, thrown.CancellationToken);
        await relay.WriteAsync(FakeRelay.Result(1, Array.Empty<object>()));
        await relay.WriteAsync(FakeRelay.Result(2, Array.Empty<object>()));
        Assert.Empty(await other);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relay.Client.ListAsync(cancel.Token));
    }
}
