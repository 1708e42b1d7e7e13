using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.Tests.EndToEnd.Sandbox;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The agent reports to a relay what listens in its guest (section 8).</summary>
public sealed class WatchTests(RefusedCalls refused) : IClassFixture<RefusedCalls>
{
    private static readonly IPAddress[] Addresses = [IPAddress.Loopback, IPAddress.Any, IPAddress.IPv6Loopback, IPAddress.IPv6Any];

    private static string Program => File.ReadAllText("/proc/self/comm").TrimEnd('\n');

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Every_listener_comes_and_goes(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var watcher = await (await Watcher.StartAsync(agent)).BegunAsync();
        foreach (var address in Addresses)
            await Limits.UntilAsync(() => ComesAndGoesAsync(address), "a listener with its program");

        async Task<bool> ComesAndGoesAsync(IPAddress address)
        {
            var port = Net.FreePort();
            MsgMap entry;
            using (var socket = Net.Listen(new IPEndPoint(address, port)))
            {
                await watcher.UntilAsync(() => watcher.Find(address, port) is not null);
                entry = watcher.Find(address, port)!;
                Assert.Equal("tcp", entry["protocol"]);
                Assert.Equal(address.AddressFamily == AddressFamily.InterNetworkV6 ? 6L : 4L, entry["family"]);
                Assert.Equal(address.AddressFamily == AddressFamily.InterNetworkV6 && !socket.DualMode, entry.TryGetValue("v6only", out var only) && only is true);
                Assert.Equal(watcher.Listeners.Select(listener => (long)listener["port"]!).Order(), watcher.Listeners.Select(listener => (long)listener["port"]!));
            }

            await watcher.UntilAsync(() => watcher.Find(address, port) is null);
            return HasProgram(entry);
        }
    }

    [Fact]
    public async Task An_agent_that_is_out_of_descriptors_says_so_and_not_that_it_cannot_tell()
    {
        Platform.OnLinuxOnly("The limit is set by prlimit(1).");
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);

        // Not the first: its program's files are open by then.
        (await (await Watcher.StartAsync(agent)).BegunAsync()).Dispose();
        await UntilPollEndsAsync(agent);
        var before = Descriptors();

        // More than there are numbers free below the highest: from there on the next number is the next higher one.
        List<Socket> others = [];
        while (others.Count <= before.Max() - before.Length + 1)
            others.Add(await agent.ConnectAsync());

        await Limits.UntilAsync(() => Descriptors().Length == before.Length + others.Count, "all to be accepted");

        // The watch's own connection takes the only one that is left: none is for the table, or for CoreCLR's thread that reads it.
        await LimitAsync(Descriptors().Max() + 2);
        using (var watcher = await Watcher.StartAsync(agent))
            Assert.Equal("TooManyOpenFiles", Assert.IsType<MsgMap>(await watcher.NextAsync())["name"]);

        await LimitAsync(1000);
        others.ForEach(other => other.Dispose());
        using var later = await (await Watcher.StartAsync(agent)).BegunAsync();

        int[] Descriptors() => [.. Directory.EnumerateFileSystemEntries($"/proc/{agent.Process.Id}/fd").Select(path => int.Parse(Path.GetFileName(path)))];

        async Task LimitAsync(int limit) =>
            Assert.Equal(0, (await ProgramRun.OfAsync(["prlimit", $"--pid={agent.Process.Id}", $"--nofile={limit}:"])).ExitCode);
    }

    [Fact]
    public async Task Sockets_that_receive_datagrams_are_reported_to_relays_that_ask()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var ofTcp = await (await Watcher.StartAsync(agent)).BegunAsync();
        using var ofBoth = await (await Watcher.StartAsync(agent, udp: true)).BegunAsync();
        foreach (var address in Addresses)
            await Limits.UntilAsync(() => IsReportedAsync(address), "a socket with its program");

        async Task<bool> IsReportedAsync(IPAddress address)
        {
            var port = Net.FreePort();
            bool hasProgram;
            using var listener = Net.Listen(new IPEndPoint(address, port));
            using (var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp))
            {
                socket.Bind(new IPEndPoint(address, port));
                await ofBoth.UntilAsync(() => ofBoth.Find(address, port, "udp") is not null && ofBoth.Find(address, port) is not null);
                hasProgram = HasProgram(ofBoth.Find(address, port, "udp")!);
                await ofTcp.UntilAsync(() => ofTcp.Find(address, port) is not null);
                Assert.DoesNotContain(ofTcp.Listeners, entry => Equals(entry["protocol"], "udp"));
            }

            await ofBoth.UntilAsync(() => ofBoth.Find(address, port, "udp") is null);
            Assert.NotNull(ofBoth.Find(address, port));
            return hasProgram;
        }
    }

    [Fact]
    public async Task The_agents_own_port_is_not_reported()
    {
        using var link = GuestLink.Create("tcp");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var watcher = await (await Watcher.StartAsync(agent)).BegunAsync();
        using var other = Net.Listen(Net.Loopback(4));
        await watcher.UntilAsync(() => watcher.Find(IPAddress.Loopback, ((IPEndPoint)other.LocalEndPoint!).Port) is not null);
        Assert.Null(watcher.Find(IPAddress.Loopback, IPEndPoint.Parse(agent.Listens["tcp:".Length..]).Port));
    }

    [Fact]
    public async Task A_dual_mode_listener_on_an_IPv4_address_is_one_of_IPv4()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var watcher = await (await Watcher.StartAsync(agent)).BegunAsync();
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        var port = Net.FreePort();
        socket.Bind(new IPEndPoint(IPAddress.Loopback.MapToIPv6(), port));
        socket.Listen();
        await watcher.UntilAsync(() => watcher.Find(IPAddress.Loopback, port) is not null);
        Assert.Equal(4L, watcher.Find(IPAddress.Loopback, port)!["family"]);
    }

    [Fact]
    public async Task Every_relay_gets_the_reports_and_one_that_does_not_read_delays_no_other()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var silent = await Watcher.StartAsync(agent);
        using var first = await (await Watcher.StartAsync(agent)).BegunAsync();
        using var second = await (await Watcher.StartAsync(agent)).BegunAsync();
        foreach (var watcher in (Watcher[])[first, second, first])
        {
            using var socket = Net.Listen(Net.Loopback(4));
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            await watcher.UntilAsync(() => watcher.Find(IPAddress.Loopback, port) is not null);
        }

        // A watcher that is gone leaves nothing: the next starts from the beginning.
        foreach (var watcher in (Watcher[])[silent, first, second])
            watcher.Dispose();

        await UntilPollEndsAsync(agent);
        using var last = await (await Watcher.StartAsync(agent)).BegunAsync();
        Assert.True(IsPolling(agent));
    }

    [Fact]
    public async Task An_empty_report_comes_every_ten_seconds()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var watcher = await (await Watcher.StartAsync(agent)).BegunAsync();
        for (var i = 0; i < 2;)
            i += await watcher.NextAsync() is null ? 1 : 0;
    }

    [Fact]
    public async Task Where_netlink_is_refused_proc_has_the_listeners()
    {
        Platform.OnLinuxOnly("seccomp is Linux's.");
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartThroughAsync(refused.Wrap("netlink", 1), link);
        using var watcher = await (await Watcher.StartAsync(agent)).BegunAsync();
        var port = Net.FreePort();
        using (Net.Listen(new IPEndPoint(IPAddress.IPv6Any, port)))
            await watcher.UntilAsync(() => watcher.Find(IPAddress.IPv6Any, port) is not null);

        await watcher.UntilAsync(() => watcher.Find(IPAddress.IPv6Any, port) is null);
        Assert.DoesNotContain(watcher.Listeners, listener => listener.ContainsKey("program"));
    }

    [Fact]
    public async Task A_watch_of_anything_else_is_refused()
    {
        using var link = GuestLink.Create("unix");
        await using var agent = await AgentUnderTest.StartAsync(link);
        using var other = await Watcher.StartAsync(agent, "processes");
        Assert.Equal("NotSupported", (await other.Socket.ReadAnswerAsync())!.Name);
        using var number = await Watcher.StartAsync(agent, 1);
        Assert.Equal("InvalidParams", (await number.Socket.ReadAnswerAsync())!.Name);
    }

    private static Task UntilPollEndsAsync(AgentUnderTest agent) => Limits.UntilAsync(() => !IsPolling(agent), "the poll to end");

    private static bool IsPolling(AgentUnderTest agent)
    {
        return Directory.GetDirectories($"/proc/{agent.Process.Id}/task").Any(IsPoll);

        static bool IsPoll(string task)
        {
            try
            {
                return File.ReadAllText(Path.Combine(task, "comm")) == "listeners\n";
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    // The agent searches for the program of a new listener for 300 ms, which can be too short on a busy machine: then the next one may have it.
    private static bool HasProgram(MsgMap entry)
    {
        Assert.True(!entry.TryGetValue("program", out var program) || Program.Equals(program), $"{program}");
        return program is not null;
    }
}
