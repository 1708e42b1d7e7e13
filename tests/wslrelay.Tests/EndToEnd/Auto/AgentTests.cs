using System.Diagnostics;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using static Wslrelay.Tests.EndToEnd.Auto.WatchedGuest;

namespace Wslrelay.Tests.EndToEnd.Auto;

/// <summary>Agents that are away, do not answer, or send invalid reports: bounded work and memory, and no effect on other mappings.</summary>
public sealed class AgentTests
{
    private const int Rounds = 60;

    [Fact]
    public async Task Mappings_stay_while_the_agent_is_away()
    {
        await using var guest = new WatchedGuest();
        await guest.Relay.ResultAsync("subscribe", new MsgMap { ["events"] = (string[])["agent"] });
        var port = Net.FreePort(2);
        await guest.BeginAsync(null, Listener(port));
        Assert.Equal("up", (await guest.Relay.EventAsync("agent"))["state"]);
        guest.Watch!.Dispose();
        var down = await guest.Relay.EventAsync("agent");
        Assert.Equal("down", down["state"]);
        Assert.Equal("ConnectionRefused", Fault.Parse(down["error"]).Name);
        Assert.Equal([$"127.0.0.1:{port}/tcp"], await guest.ListAsync());
        await guest.AcceptAsync();
        await guest.ReportAsync(Listener(port + 1));
        Assert.Equal("up", (await guest.Relay.EventAsync("agent"))["state"]);
        await guest.UntilListAsync($"127.0.0.1:{port + 1}/tcp");
    }

    [Fact]
    public async Task Requests_do_not_wait_for_an_agent_that_is_away()
    {
        await using var guest = new WatchedGuest();
        var auto = await guest.Relay.RequestAsync("auto", new MsgMap());
        await guest.Relay.ResultsAsync("list");
        var port = Net.FreePort();
        await guest.AcceptAsync();
        await guest.ReportAsync(Listener(port));
        var (mapped, _) = await guest.AnswerAsync(auto);
        Assert.Equal(port, Assert.Single(mapped).HostPort);
    }

    [Fact]
    public async Task The_end_of_the_relay_answers_requests_that_still_wait()
    {
        await using var guest = new WatchedGuest();
        var auto = await guest.Relay.RequestAsync("auto", new MsgMap());
        await guest.AcceptAsync();
        var end = await guest.Relay.RequestAsync("auto");
        Assert.Empty((await guest.AnswerAsync(auto)).Mapped);
        Assert.Empty((await guest.AnswerAsync(end)).Mapped);
        var port = Net.FreePort();
        Assert.Equal(port, Assert.Single((await guest.BeginAsync(null, Listener(port))).Mapped).HostPort);
    }

    [Fact]
    public async Task An_agent_that_is_silent_for_thirty_seconds_counts_as_gone()
    {
        await using var guest = new WatchedGuest();
        await guest.BeginAsync();
        await guest.Relay.ResultAsync("subscribe", new MsgMap { ["events"] = (string[])["agent"] });
        var down = await guest.Relay.EventAsync("agent");
        Assert.Equal("down", down["state"]);
        Assert.Equal("TimedOut", Fault.Parse(down["error"]).Name);
        await guest.AcceptAsync();
        Assert.Equal("up", (await guest.Relay.EventAsync("agent"))["state"]);
    }

    [Fact]
    public async Task An_agent_without_watch_is_not_supported()
    {
        await using var guest = new WatchedGuest();
        var auto = await guest.Relay.RequestAsync("auto", new MsgMap());
        await guest.AcceptAsync(MsgEncoder.Encode(new MsgMap
        {
            ["code"] = Fault.Codes["InvalidParams"], ["name"] = "InvalidParams", ["message"] = "protocol: is missing",
        }));
        var response = await guest.Relay.ResponseAsync();
        Assert.Equal((auto, "NotSupported"), (response.Id, response.Error!.Name));
        Assert.Contains("protocol: is missing", response.Error.Message, StringComparison.Ordinal);
        Assert.Empty(await guest.ListAsync());
    }

    [Fact]
    public async Task A_listener_reported_twice_is_mapped_once()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort();
        var (mapped, failed) = await guest.BeginAsync(null, Listener(port), Listener(port, "0.0.0.0"), Listener(port));
        Assert.Single(mapped);
        Assert.Empty(failed);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("no list")]
    [InlineData("a port of 0")]
    [InlineData("60,000 listeners")]
    [InlineData("no MessagePack")]
    public async Task An_invalid_report_ends_the_connection_and_changes_nothing(string what)
    {
        await using var guest = new WatchedGuest();
        await guest.Relay.ResultAsync("subscribe", new MsgMap { ["events"] = (string[])["agent"] });
        var port = Net.FreePort();
        await guest.BeginAsync(null, Listener(port));
        await guest.Relay.EventAsync("agent");
        var bytes = what switch
        {
            "text" => MsgEncoder.Encode("nothing"),
            "no list" => MsgEncoder.Encode(new MsgMap { ["listeners"] = 4 }),
            "a port of 0" => Encode(Listener(port + 1), Listener(0)),
            "60,000 listeners" => Encode([.. Enumerable.Range(1024, 60_000).Select(number => Listener(number))]),
            _ => [0xc1],
        };
        try
        {
            await guest.Watch!.SendAllAsync(bytes);
        }
        catch (SocketException)
        {
            // The relay does not wait for the rest.
        }

        var down = await guest.Relay.EventAsync("agent");
        Assert.Equal("down", down["state"]);
        Assert.Equal("InvalidParams", Fault.Parse(down["error"]).Name);
        Assert.Equal([$"127.0.0.1:{port}/tcp"], await guest.ListAsync());
    }

    [Fact]
    public async Task Of_more_than_a_thousand_listeners_the_first_thousand_count()
    {
        await using var guest = new WatchedGuest();
        var (mapped, failed) = await guest.BeginAsync(null, [.. Enumerable.Range(20_000, 1500).Select(number => Listener(number))]);
        Assert.Equal(1000, mapped.Length + failed.Length);
    }

    [Fact]
    public async Task Many_rapid_changes_cost_little_and_end_in_the_newest_set()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(2);
        await using var echo = GuestServer.Echo();
        await guest.BeginAsync();
        await guest.Relay.ResultAsync("subscribe", new MsgMap { ["events"] = (string[])["mapped"] });
        var flood = Enumerable.Range(0, 2000).SelectMany(i => i % 2 == 0 ? Encode(Listener(port)) : Encode()).ToArray();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 5; i++)
            await guest.Watch!.SendAllAsync(flood);

        await guest.ReportAsync(Listener(port + 1));
        await guest.UntilListAsync($"127.0.0.1:{port + 1}/tcp");
        var most = (clock.ElapsedMilliseconds / 250) + 2;
        var events = 0L;
        while (Mapping.Parse(await guest.Relay.EventAsync("mapped")).HostPort == port)
            events++;

        Assert.InRange(events, 0, most);
    }

    [Fact]
    public async Task The_relay_continues_whatever_an_agent_sends()
    {
        await using var guest = new WatchedGuest();
        var port = Net.FreePort(50);
        var good = Enumerable.Range(port, 50).Select(number => Listener(number, number % 2 == 0 ? "127.0.0.1" : "::", "node")).ToArray();
        var broken = new Mutations(17, Encode(good), Encode(good[..1]), Encode(), [0xc0], MsgEncoder.Encode(new MsgMap { ["listeners"] = good[..2], ["more"] = true }));
        await guest.BeginAsync();
        for (var i = 0; i < Rounds; i++)
        {
            try
            {
                await guest.Watch!.SendAllAsync(broken.Next());
                if (i % 3 == 0)
                    throw new SocketException();
            }
            catch (SocketException)
            {
                await BeginAgainAsync();
            }
        }

        await BeginAgainAsync();
        await guest.ReportAsync(Listener(port));
        await guest.UntilListAsync($"127.0.0.1:{port}/tcp");

        // With a valid report: without one the relay would wait longer before its next connection.
        async Task BeginAgainAsync()
        {
            guest.Watch!.Dispose();
            await guest.AcceptAsync();
            await guest.ReportAsync();
        }
    }
}
