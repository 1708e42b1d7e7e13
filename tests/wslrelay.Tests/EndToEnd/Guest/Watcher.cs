using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>A relay, played by the test, that watches a guest's listeners: section 8 of the protocol.</summary>
internal sealed class Watcher : IDisposable
{
    private readonly MessageReader _messages;

    private Watcher(Socket socket)
    {
        Socket = socket;
        _messages = new MessageReader(new NetworkStream(socket));
    }

    public Socket Socket { get; }

    /// <summary>The newest report's listeners.</summary>
    public MsgMap[] Listeners { get; private set; } = [];

    public static async Task<Watcher> StartAsync(AgentUnderTest agent, object? watch = null, bool udp = false)
    {
        var socket = await agent.ConnectAsync();
        var preamble = new MsgMap { ["v"] = 1, ["watch"] = watch ?? "listeners" };
        if (udp)
            preamble["udp"] = true;

        await socket.SendAllAsync(MsgEncoder.Encode(preamble));
        return new Watcher(socket);
    }

    /// <summary>The next object of the stream.</summary>
    public async Task<object?> NextAsync()
    {
        var message = await _messages.NextAsync().WaitAsync(Limits.HangTimeout);
        Assert.True(message is not null, "The agent ended the stream.");
        if (message.Value is MsgMap report && report.TryGetValue("listeners", out var listeners))
            Listeners = [.. Assert.IsType<object?[]>(listeners).Cast<MsgMap>()];

        return message.Value;
    }

    /// <summary>Reads the answer, nil, and the first report.</summary>
    public async Task<Watcher> BegunAsync()
    {
        Assert.Null(await NextAsync());
        Assert.IsType<MsgMap>(await NextAsync());
        return this;
    }

    /// <summary>The entry of a listener, or null.</summary>
    public MsgMap? Find(IPAddress address, int port, string protocol = "tcp") => Listeners.SingleOrDefault(
        entry => Equals(entry["address"], address.ToString()) && Equals(entry["port"], (long)port) && Equals(entry["protocol"], protocol));

    /// <summary>Reads until a report satisfies <paramref name="condition"/>.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await NextAsync();
    }

    public void Dispose() => Socket.Dispose();
}
