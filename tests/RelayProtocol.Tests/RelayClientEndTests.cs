using RelayProtocol.Tests.Rpc;
using Xunit;

namespace RelayProtocol.Tests;

/// <summary>However the channel ends, every call ends with it.</summary>
public class RelayClientEndTests
{
    private static async Task<RelayDisconnectedException> Fails(Task call) =>
        await Assert.ThrowsAsync<RelayDisconnectedException>(() => call.WaitAsync(FakeRelay.Deadline));

    [Fact]
    public async Task The_end_of_output_fails_pending_calls_and_later_ones()
    {
        await using var relay = new FakeRelay();
        Task[] calls = [.. Enumerable.Range(0, 50).Select(_ => relay.Client.ListAsync(FakeRelay.Deadline))];
        await relay.ReadListAsync();
        relay.CloseOutput();
        foreach (Task call in calls)
            Assert.Contains("the relay has closed its output; ", (await Fails(call)).Message, StringComparison.Ordinal);
        await relay.Client.Disconnected.WaitAsync(FakeRelay.Deadline);
        Assert.Contains("start a new relay", (await Fails(relay.Client.ListAsync(FakeRelay.Deadline))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_of_output_within_an_answer_is_reported_as_such()
    {
        await using var relay = new FakeRelay();
        Task call = relay.Client.ListAsync(FakeRelay.Deadline);
        await relay.ReadListAsync();
        await relay.WriteAsync(0x94, 1, 1);
        await Task.Delay(50, FakeRelay.Deadline);
        Assert.False(call.IsCompleted);
        relay.CloseOutput();
        Assert.Contains("in the middle of a message", (await Fails(call)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c1")] // no MessagePack
    [InlineData("48 54 54 50")] // "HTTP": four integers, no messages
    [InlineData("93 01 01 c0")] // a response of three
    [InlineData("94 01 01 c0 c0")] // neither error nor result
    [InlineData("94 01 01 c0 a1 78")] // a result of another type
    [InlineData("94 01 01 c0 91 80")] // a mapping without keys
    [InlineData("94 01 01 a1 78 c0")] // an error that is no map
    [InlineData("c6 ff ff ff ff")] // a message without end
    public async Task Invalid_bytes_end_the_channel(string hex)
    {
        await using var relay = new FakeRelay();
        Task call = relay.Client.ListAsync(FakeRelay.Deadline);
        Task other = relay.Client.HelloAsync(FakeRelay.Deadline);
        await relay.ReadListAsync();
        await relay.WriteAsync(Pack.Hex(hex));
        Assert.Contains("what is not the protocol", (await Fails(call)).Message, StringComparison.Ordinal);
        await Fails(other);
        await Fails(relay.Client.ListAsync(FakeRelay.Deadline));
    }

    [Fact]
    public async Task Messages_of_a_later_version_are_ignored()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<PortMappingStatus>> call = relay.Client.ListAsync(FakeRelay.Deadline);
        int id = await relay.ReadListAsync();
        await relay.WriteAsync(Pack.Array(2, "news", Pack.Array(1, 2)));
        await relay.WriteAsync(Pack.Array(0, 5, "question", Pack.Array()));
        await relay.WriteAsync(FakeRelay.Result(id, Array.Empty<object>()));
        Assert.Empty(await call);
    }

    [Fact]
    public async Task An_error_notification_is_raised_and_is_the_relays_last_error()
    {
        var exited = new TaskCompletionSource<int?>();
        await using var relay = new FakeRelay(exited.Task);
        var notified = new TaskCompletionSource<RelayError>();
        relay.Client.ErrorNotified += notified.SetResult;
        Task call = relay.Client.ListAsync(FakeRelay.Deadline);
        await relay.WriteAsync(Pack.Array(2, "error", Pack.Array(new Dictionary<string, object?>
        {
            ["code"] = unchecked((int)0x80070057), ["name"] = "InvalidParams", ["message"] = "a message is larger than 65536 bytes",
        })));
        Assert.Equal("InvalidParams", (await notified.Task.WaitAsync(FakeRelay.Deadline)).Name);
        relay.CloseOutput();
        exited.SetResult(3);
        RelayDisconnectedException thrown = await Fails(call);
        Assert.Equal(3, thrown.ExitCode);
        Assert.Contains("exit code 3", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("Its last error: InvalidParams (0x80070057): a message is larger", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "asked to end (exit code 0)")]
    [InlineData(1, "failed (exit code 1)")]
    [InlineData(2, "refused its command line (exit code 2)")]
    [InlineData(-9, "ended by signal or fault 9")]
    public async Task The_exit_code_is_reported(int code, string text)
    {
        await using var relay = new FakeRelay(Task.FromResult<int?>(code));
        Task call = relay.Client.ListAsync(FakeRelay.Deadline);
        relay.CloseOutput();
        RelayDisconnectedException thrown = await Fails(call);
        Assert.Equal(code, thrown.ExitCode);
        Assert.Contains(text, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_relays_exit_ends_the_channel_though_its_output_stays_open()
    {
        await using var relay = new FakeRelay(Task.FromResult<int?>(1));
        Assert.Contains("the relay has ended; it failed", (await Fails(relay.Client.ListAsync(FakeRelay.Deadline))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_input_that_is_no_longer_read_ends_the_channel()
    {
        await using var relay = new FakeRelay();
        relay.CloseInput();
        Assert.Contains("no longer reads its input", (await Fails(relay.Client.ListAsync(FakeRelay.Deadline))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closing_the_input_writes_earlier_requests_first()
    {
        await using var relay = new FakeRelay();
        Task<IReadOnlyList<PortMappingStatus>> call = relay.Client.ListAsync(FakeRelay.Deadline);
        relay.Client.CloseInput();
        relay.Client.CloseInput();
        await Assert.ThrowsAsync<InvalidOperationException>(() => relay.Client.ListAsync(FakeRelay.Deadline));
        int id = await relay.ReadListAsync();
        Assert.True(await relay.AtEndAsync());
        await relay.WriteAsync(FakeRelay.Result(id, Array.Empty<object>()));
        Assert.Empty(await call);
    }

    [Fact]
    public async Task Disposing_fails_every_call_and_closes_both_streams()
    {
        var relay = new FakeRelay();
        Task call = relay.Client.ListAsync(FakeRelay.Deadline);
        await relay.ReadListAsync();
        await relay.Client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => call);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => relay.Client.ListAsync(FakeRelay.Deadline));
        Assert.True(await relay.AtEndAsync());
        await Assert.ThrowsAsync<IOException>(() => relay.WriteAsync(1));
        await relay.DisposeAsync();
    }

    [Fact]
    public async Task Disposing_does_not_wait_for_a_relay_that_reads_nothing()
    {
        var relay = new FakeRelay();
        for (int i = 0; i < 3; i++)
            _ = relay.Client.MapAsync([.. Enumerable.Range(10000, 900).Select(p => new PortMapping(p, p))], FakeRelay.Deadline);
        await relay.ReadAsync(1);
        await relay.Client.DisposeAsync().AsTask().WaitAsync(FakeRelay.Deadline);
        await relay.DisposeAsync();
    }
}
