using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Control;

/// <summary>Every error of the table that a request can get; code and name are compared with the table wherever an error is read.</summary>
public sealed class ErrorTests
{
    [Fact]
    public async Task AddressInUse_for_a_port_that_is_mapped_already_and_the_first_stays_usable()
    {
        await using var relay = RelayUnderTest.Serve();
        await using var guest = GuestServer.Echo();
        var mapping = await relay.MapAsync(guest.Port);
        var fault = await relay.FailAsync("AddressInUse", "map", Item(mapping.HostPort));
        Assert.Equal(0, fault.Index);
        Assert.Contains(mapping.Name, fault.Message, StringComparison.Ordinal);
        await mapping.AssertEchoAsync();
    }

    [Theory]
    [InlineData(4, "127.0.0.1")]
    [InlineData(6, "::1")]
    [InlineData(4, "0.0.0.0")]
    [InlineData(6, "::")]
    public async Task AddressInUse_for_a_port_that_another_socket_has(int family, string address)
    {
        await using var relay = RelayUnderTest.Serve();
        using var foreign = Net.Listen(new IPEndPoint(IPAddress.Parse(address), Net.FreePort()));
        var port = ((IPEndPoint)foreign.LocalEndPoint!).Port;
        var fault = await relay.FailAsync("AddressInUse", "map", Item(port, family));
        Assert.Contains(family == 6 ? $"[::1]:{port}/tcp" : $"127.0.0.1:{port}/tcp", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"(pid {Environment.ProcessId})", fault.Message, StringComparison.Ordinal);
        foreign.Dispose();
        await relay.ResultAsync("map", Item(port, family));
    }

    [Fact]
    public async Task AddressInUse_for_a_dual_stack_wildcard_that_a_v4_mapping_would_shadow()
    {
        await using var relay = RelayUnderTest.Serve();
        using var foreign = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        foreign.Bind(new IPEndPoint(IPAddress.IPv6Any, Net.FreePort()));
        foreign.Listen();
        var fault = await relay.FailAsync("AddressInUse", "map", Item(((IPEndPoint)foreign.LocalEndPoint!).Port));
        Assert.Contains($"(pid {Environment.ProcessId}), which has {foreign.LocalEndPoint}", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddressInUse_names_the_user_whose_process_cannot_be_seen()
    {
        Platform.OnLinuxOnly("On Windows every process is named.");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can be another user.");
        using var foreign = Net.Listen(Net.Loopback(4));
        await using var relay = RelayUnderTest.ServeThrough(["/usr/bin/setpriv", "--reuid=65534", "--clear-groups"]);
        var fault = await relay.FailAsync("AddressInUse", "map", Item(((IPEndPoint)foreign.LocalEndPoint!).Port));
        Assert.Contains("is in use by a process of user root", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AccessDenied_for_a_privileged_port()
    {
        Platform.OnLinuxOnly("Only Linux has privileged ports.");
        Assert.SkipWhen(
            Platform.FirstPublicPort != 1024, "Every user may bind low ports here.");
        string[] wrapper = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set=-net_bind_service"] : [];
        await using var relay = RelayUnderTest.ServeThrough(wrapper);
        var fault = await relay.FailAsync("AccessDenied", "map", Item(1011));
        Assert.Contains("127.0.0.1:1011/tcp", fault.Message, StringComparison.Ordinal);
        Assert.Contains("privileged", fault.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(4, "198.51.100.1", "198.51.100.1:{0}/tcp")]
    [InlineData(6, "2001:db8::1", "[2001:db8::1]:{0}/tcp")]
    public async Task AddressNotAvailable_for_an_address_of_another_machine(int family, string address, string name)
    {
        await using var relay = RelayUnderTest.Serve("--allow-remote");
        var port = Net.FreePort();
        var fault = await relay.FailAsync("AddressNotAvailable", "map", Item(port, family, address));
        Assert.Equal(0, fault.Index);
        Assert.Contains(string.Format(name, port), fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, "0.0.0.0", "0.0.0.0:{0}/tcp")]
    [InlineData(4, "198.51.100.1", "198.51.100.1:{0}/tcp")]
    [InlineData(6, "::", "[::]:{0}/tcp")]
    [InlineData(6, "2001:db8::1", "[2001:db8::1]:{0}/tcp")]
    public async Task AddressNotAllowed_for_a_remote_address_without_the_option(int family, string address, string name)
    {
        await using var relay = RelayUnderTest.Serve();
        var port = Net.FreePort();
        var fault = await relay.FailAsync("AddressNotAllowed", "map", Item(port, family, address));
        Assert.Equal(0, fault.Index);
        Assert.Contains(string.Format(name, port), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Allow_remote_lets_a_wildcard_be_mapped()
    {
        await using var relay = RelayUnderTest.Serve("--allow-remote");
        await using var guest = GuestServer.Echo();
        var mapping = (await relay.MapAsync(Item(0, 4, "0.0.0.0", guest.Port)))[0];
        Assert.Equal("0.0.0.0", mapping.Address);
        await (mapping with { Address = "127.0.0.1" }).AssertEchoAsync();
    }

    [Fact]
    public async Task NotSupported_for_udp_by_WSLs_guest_protocol()
    {
        await using var relay = RelayUnderTest.Serve("--target", "tcp:127.0.0.1:1", "--guest-protocol", "wsl");
        var fault = await relay.FailAsync("NotSupported", "map", new MsgMap { ["protocol"] = "udp", ["guestPort"] = 80 });
        Assert.Equal(0, fault.Index);
    }

    [Fact]
    public async Task NotFound_for_a_mapping_that_is_gone_already()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(80);
        await relay.ResultAsync("unmap", mapping.ToUnmap());
        var fault = await relay.FailAsync("NotFound", "unmap", mapping.ToUnmap());
        Assert.Equal(0, fault.Index);
        Assert.Contains(mapping.Name, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NotFound_for_another_family_or_address_on_the_same_number()
    {
        await using var relay = RelayUnderTest.Serve();
        var mapping = await relay.MapAsync(80);
        await relay.FailAsync("NotFound", "unmap", (mapping with { Family = 6, Address = "::1" }).ToUnmap());
        await relay.FailAsync("NotFound", "unmap", (mapping with { Address = "127.0.0.2" }).ToUnmap());
        Assert.Single(await relay.ResultsAsync("list"));
    }

    [Fact]
    public async Task MethodNotFound_for_an_unknown_method()
    {
        await using var relay = RelayUnderTest.Serve();
        var fault = await relay.FailAsync("MethodNotFound", "mapp");
        Assert.Null(fault.Index);
        Assert.Contains("mapp", fault.Message, StringComparison.Ordinal);
        await relay.ResultAsync("list");
    }

    private static MsgMap Item(int hostPort, int family = 4, string? address = null, int guestPort = 80) =>
        new() { ["family"] = family, ["address"] = address, ["hostPort"] = hostPort, ["guestPort"] = guestPort };
}
