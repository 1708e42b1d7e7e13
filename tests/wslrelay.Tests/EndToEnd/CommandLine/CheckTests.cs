using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.CommandLine;

/// <summary><c>check</c> names the hop that is broken and what to do about it; the hops are the host port, the target, the agent, and the guest port for IPv4 and IPv6.</summary>
public sealed class CheckTests
{
    public static TheoryData<string> Links => ["tcp", "unix", "vsock"];

    [Fact]
    public async Task Every_hop_of_a_direct_mapping_works()
    {
        await using var server = GuestServer.Echo();
        var run = await CheckRun.OfAsync($"{Net.FreePort()}:{server.Port}");
        Assert.Equal("ok ok skip ok skip", run.Results);
        Assert.Equal(["host port", "target", "agent", "guest port v4", "guest port v6"], run.Hops.Select(hop => hop.Name));
    }

    [Theory]
    [MemberData(nameof(Links))]
    public async Task Every_hop_through_an_agent_works(string kind)
    {
        using var link = GuestLink.Create(kind);
        await using var agent = await AgentUnderTest.StartAsync(link);
        var port = Net.FreePort();
        await using GuestServer four = GuestServer.Echo(port: port), six = GuestServer.Echo(family: 6, port: port);
        var target = link.Target(agent.Listens);
        Assert.Equal("ok ok ok ok ok", (await CheckRun.OfAsync($"0:{port}", "--target", target)).Results);
        Assert.Equal("ok ok", (await CheckRun.OfAsync("--target", target)).Results);
    }

    [Fact]
    public async Task A_port_that_is_taken_has_its_owner_named()
    {
        await using var server = GuestServer.Echo();
        var port = Net.FreePort();
        using var owner = new ForwardUnderTest($"{port}:{server.Port}");
        await owner.ReadLineAsync();
        var run = await CheckRun.OfAsync($"{port}:{server.Port}");
        Assert.Equal("fail ok skip ok skip", run.Results);
        Assert.Matches($@"^127\.0\.0\.1:{port}/tcp is in use by wslrelay(\.exe)? \(pid {owner.Process.Id}\)", run.FirstFailure);
    }

    [Fact]
    public async Task An_owner_on_all_addresses_is_reported_with_its_address()
    {
        using var owner = Net.Listen(new(System.Net.IPAddress.IPv6Any, 0));
        var port = ((System.Net.IPEndPoint)owner.LocalEndPoint!).Port;
        var run = await CheckRun.OfAsync($"[::1]:{port}:80");
        Assert.Contains($"(pid {Environment.ProcessId}), which has [::]:{port}", run.FirstFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_of_another_machine_cannot_be_listened_on()
    {
        await using var server = GuestServer.Echo();
        var run = await CheckRun.OfAsync($"192.0.2.1:{Net.FreePort()}:{server.Port}");
        Assert.Equal("fail ok skip ok skip", run.Results);
        Assert.Contains("192.0.2.1 is not an address of this machine", run.FirstFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_listens_at_the_target()
    {
        var target = $"127.0.0.1:{Net.FreePort()}";
        var run = await CheckRun.OfAsync("0:80", "--target", $"tcp:{target}");
        Assert.Equal("ok fail skip skip skip", run.Results);
        Assert.StartsWith($"{target}: nothing listens there; start the agent", run.FirstFailure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere/agent")]
    [InlineData("/etc/passwd/agent")]
    public async Task Nothing_listens_at_the_targets_path(string path)
    {
        Platform.OnLinuxOnly("The paths are Linux'.");
        var run = await CheckRun.OfAsync("0:80", "--target", $"unix:{path}");
        Assert.Equal("ok fail skip skip skip", run.Results);
        Assert.StartsWith($"unix:{path}: nothing listens there; start the agent", run.FirstFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_listener_at_the_target_does_not_answer()
    {
        using var silent = new FakeAgent("tcp");
        var run = await CheckRun.OfAsync("0:80", "--target", silent.Target);
        Assert.Equal("ok ok fail skip skip", run.Results);
        Assert.Contains("no answer within 3 seconds", run.FirstFailure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("")]
    public async Task The_listener_at_the_target_is_not_an_agent(string greeting)
    {
        await using var other = GuestServer.Content(System.Text.Encoding.ASCII.GetBytes(greeting));
        var run = await CheckRun.OfAsync("0:80", "--target", $"tcp:127.0.0.1:{other.Port}");
        Assert.Equal("ok ok fail skip skip", run.Results);
        Assert.Contains("is it 'wslrelay guest' that listens there", run.FirstFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_agent_speaks_another_version()
    {
        var error = MsgEncoder.Encode(new MsgMap { ["code"] = -2147024846L, ["name"] = "NotSupported", ["message"] = "v: 1 is not spoken here, only 2 is" });
        await using var other = GuestServer.Content(error);
        var run = await CheckRun.OfAsync("0:80", "--target", $"tcp:127.0.0.1:{other.Port}");
        Assert.Equal("ok ok fail skip skip", run.Results);
        Assert.Contains("v: 1 is not spoken here, only 2 is", run.FirstFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hybrid_vsock_has_no_such_port()
    {
        using var hybrid = new FakeAgent("unix");
        _ = CloseAllAsync();
        var run = await CheckRun.OfAsync("0:80", "--target", $"firecracker:{hybrid.Path}:5000");
        Assert.Equal("ok ok fail skip skip", run.Results);
        Assert.Contains("closed the connection without an answer", run.FirstFailure, StringComparison.Ordinal);

        async Task CloseAllAsync()
        {
            while (true)
            {
                var connection = await hybrid.AcceptAsync();
                await connection.ReceiveExactlyAsync("CONNECT 5000\n".Length);
                connection.Shutdown(SocketShutdown.Send);
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Nothing_listens_in_the_guest(string? kind)
    {
        using var link = kind is null ? null : GuestLink.Create(kind);
        await using var agent = link is null ? null : await AgentUnderTest.StartAsync(link);
        var port = Net.FreePort();
        string[] target = link is null ? [] : ["--target", link.Target(agent!.Listens)];
        var run = await CheckRun.OfAsync([$"0:{port}", .. target]);
        Assert.Equal(link is null ? "ok ok skip fail skip" : "ok ok ok fail skip", run.Results);
        Assert.StartsWith($"127.0.0.1:{port}", run.FirstFailure, StringComparison.Ordinal);
        Assert.Contains("nothing listens there; start it", run.FirstFailure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("tcp")]
    public async Task The_server_listens_on_the_other_family_only(string? kind)
    {
        using var link = kind is null ? null : GuestLink.Create(kind);
        await using var agent = link is null ? null : await AgentUnderTest.StartAsync(link);
        var port = Net.FreePort();
        await using var server = GuestServer.Echo(family: 6, port: port);
        string[] target = link is null ? [] : ["--target", link.Target(agent!.Listens)];
        var run = await CheckRun.OfAsync([$"127.0.0.1:0:{port}", .. target]);
        Assert.Equal(link is null ? "ok ok skip fail ok" : "ok ok ok fail ok", run.Results);
        Assert.Contains($"nothing listens there, but something does on [::1]:{port}", run.FirstFailure, StringComparison.Ordinal);
        Assert.EndsWith("skip ok", (await CheckRun.OfAsync([$"[::1]:0:{port}", .. target])).Results, StringComparison.Ordinal);
        var hops = link is null ? "ok ok skip skip ok" : "ok ok ok skip ok";
        Assert.Equal($"{hops} {hops}", (await CheckRun.OfAsync([$"localhost:0:{port}", .. target])).Results);
    }

    [Fact]
    public async Task The_server_listens_on_another_address_only()
    {
        using var server = Net.Listen(new(System.Net.IPAddress.Parse("127.0.0.9"), Net.FreePort()));
        var port = ((System.Net.IPEndPoint)server.LocalEndPoint!).Port;
        var run = await CheckRun.OfAsync($"0:{port}");
        Assert.Equal("ok ok skip fail skip", run.Results);
        Assert.Contains($"but something does on 127.0.0.9:{port}; let it listen on 127.0.0.1 too, or take the target direct:127.0.0.9", run.FirstFailure, StringComparison.Ordinal);
        Assert.Equal("ok ok skip ok skip", (await CheckRun.OfAsync($"0:{port}", "--target", "direct:127.0.0.9")).Results);
    }

    [Fact]
    public async Task A_target_of_one_family_is_not_checked_over_the_other()
    {
        await using var server = GuestServer.Echo(family: 6);
        var run = await CheckRun.OfAsync($"0:{server.Port}", "--target", "direct:[::1]");
        Assert.Equal("ok ok skip skip ok", run.Results);
    }

    [Fact]
    public async Task Several_mappings_are_checked_at_once()
    {
        await using var server = GuestServer.Echo();
        var nothing = Net.FreePort();
        var run = await CheckRun.OfAsync($"0:{server.Port}", $"0:{nothing}");
        Assert.Equal("ok ok skip ok skip ok ok skip fail skip", run.Results);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("tcp")]
    public async Task A_udp_server_is_not_checked_but_its_agent_is(string? kind)
    {
        using var link = kind is null ? null : GuestLink.Create(kind);
        await using var agent = link is null ? null : await AgentUnderTest.StartAsync(link);
        string[] target = link is null ? [] : ["--target", link.Target(agent!.Listens)];
        var run = await CheckRun.OfAsync([$"0:{Net.FreePort()}/udp", .. target]);
        Assert.Equal(link is null ? "ok ok skip skip skip" : "ok ok ok skip skip", run.Results);
    }
}
