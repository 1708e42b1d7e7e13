using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>An agent played by the test, which reports whatever the test sends; and a relay that follows its reports.</summary>
internal sealed class WatchedGuest : IAsyncDisposable
{
    private readonly FakeAgent _agent = new(GuestLink.RelayIsWindows ? "tcp" : "unix");

    public WatchedGuest() => Relay = RelayUnderTest.Serve("--target", _agent.Target);

    public RelayUnderTest Relay { get; }

    /// <summary>The relay's newest watch connection.</summary>
    public Socket? Watch { get; private set; }

    public static MsgMap Listener(int port, string address = "127.0.0.1", string? program = null, bool v6only = false, string protocol = "tcp")
    {
        var listener = new MsgMap { ["protocol"] = protocol, ["family"] = address.Contains(':', StringComparison.Ordinal) ? 6 : 4, ["address"] = address, ["port"] = port };
        if (program is not null)
            listener["program"] = program;

        if (v6only)
            listener["v6only"] = true;

        return listener;
    }

    public static byte[] Encode(params MsgMap[] listeners) => MsgEncoder.Encode(new MsgMap { ["listeners"] = listeners });

    /// <summary>Accepts the relay's next connection, which must ask for a watch, and answers it.</summary>
    public async Task AcceptAsync(byte[]? answer = null, bool udp = false)
    {
        (Watch, var preamble) = await _agent.AcceptPreambleAsync();
        Assert.Equal(1L, preamble["v"]);
        Assert.Equal("listeners", preamble["watch"]);
        Assert.Equal(udp, preamble.ContainsKey("udp"));
        await Watch.SendAllAsync(answer ?? [0xc0]);
    }

    public Task ReportAsync(params MsgMap[] listeners) => Watch!.SendAllAsync(Encode(listeners));

    /// <summary>Asks for automatic mappings and answers with a first report. Returns the relay's result.</summary>
    public async Task<(Mapping[] Mapped, MsgMap[] Failed)> BeginAsync(MsgMap? options = null, params MsgMap[] listeners)
    {
        var id = await Relay.RequestAsync("auto", options ?? []);
        await AcceptAsync(udp: options is not null && options.ContainsKey("udp"));
        await ReportAsync(listeners);
        return await AnswerAsync(id);
    }

    public async Task<(Mapping[] Mapped, MsgMap[] Failed)> AnswerAsync(uint id)
    {
        var response = await Relay.ResponseAsync();
        Assert.Equal(id, response.Id);
        Assert.True(response.Error is null, $"{response.Error}");
        var result = Assert.IsType<MsgMap>(response.Result);
        return ([.. Assert.IsType<object?[]>(result["mapped"]).Select(Mapping.Parse)], [.. Assert.IsType<object?[]>(result["failed"]).Cast<MsgMap>()]);
    }

    /// <summary>The host's addresses of the mappings in force, as messages name them.</summary>
    public async Task<string[]> ListAsync() => [.. (await Relay.ResultsAsync("list")).Select(entry => Mapping.Parse(entry).Name)];

    public Task UntilListAsync(params string[] names) =>
        Limits.UntilAsync(async () => (await ListAsync()).SequenceEqual(names), $"the mappings {string.Join(", ", names)}");

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        _agent.Dispose();
    }
}
