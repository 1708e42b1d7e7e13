using System.Net.Sockets;
using System.Text;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.LifeCycle;

/// <summary>The protocol of systemd: NOTIFY_SOCKET is a datagram socket that is notified when the program is ready and when it ends.</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Socket? _socket;

    public void Dispose()
    {
        _socket?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Guest_notifies_that_it_listens_and_that_it_stops(bool isAbstract)
    {
        var wrapper = Bind(isAbstract);
        using var link = GuestLink.Create("tcp");
        await using var agent = await AgentUnderTest.StartThroughAsync(wrapper, link);
        Assert.Equal("READY=1", await ReceiveAsync());
        using var connected = await agent.ConnectAsync();
        Libc.Kill(agent.Process.Id, Libc.SIGTERM);
        Assert.Equal("STOPPING=1", await ReceiveAsync());
        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task Forward_notifies_once_its_mappings_listen()
    {
        var wrapper = Bind(isAbstract: false);
        await using var guest = GuestServer.Echo();
        var port = Net.FreePort();
        using var forward = new ForwardUnderTest([$"{port}:{guest.Port}"], wrapper);
        Assert.Equal("READY=1", await ReceiveAsync());
        await new Mapping("tcp", 4, "127.0.0.1", port, guest.Port).AssertEchoAsync();
        Libc.Kill(forward.Process.Id, Libc.SIGTERM);
        Assert.Equal("STOPPING=1", await ReceiveAsync());
        Assert.Equal(0, await forward.ExitAsync());
    }

    [Fact]
    public async Task Forward_auto_is_ready_before_its_agent_is()
    {
        var wrapper = Bind(isAbstract: false);
        using var forward = new ForwardUnderTest(["--auto", "--target", $"unix:{Path.Combine(_folder.Path, "agent")}"], wrapper);
        Assert.Equal("READY=1", await ReceiveAsync());
    }

    [Fact]
    public async Task Forward_that_cannot_map_is_never_ready()
    {
        var wrapper = Bind(isAbstract: false);
        using var taken = Net.Listen(Net.Loopback(4));
        using var forward = new ForwardUnderTest([$"{taken.LocalEndPoint}:80"], wrapper);
        Assert.Equal(1, await forward.ExitAsync());
        Assert.Equal(0, _socket!.Available);
    }

    [Fact]
    public async Task A_service_manager_that_is_gone_changes_nothing()
    {
        Platform.OnLinuxOnly("sd_notify is Linux's.");
        await using var guest = GuestServer.Echo();
        using var forward = new ForwardUnderTest([$"127.0.0.1:0:{guest.Port}"], "env", "NOTIFY_SOCKET=/nowhere/at/all");
        var port = int.Parse((await forward.ReadLineAsync()).Split(':', '/')[1]);
        await new Mapping("tcp", 4, "127.0.0.1", port, guest.Port).AssertEchoAsync();
        Libc.Kill(forward.Process.Id, Libc.SIGTERM);
        Assert.Equal(0, await forward.ExitAsync());
    }

    // The wrapper that gives the program the socket's name.
    private string[] Bind(bool isAbstract)
    {
        Platform.OnLinuxOnly("sd_notify is Linux's.");
        var path = Path.Combine(_folder.Path, "notify");
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? $"\0{path}" : path));
        return ["env", $"NOTIFY_SOCKET={(isAbstract ? $"@{path}" : path)}"];
    }

    private async Task<string> ReceiveAsync()
    {
        var buffer = new byte[100];
        return Encoding.ASCII.GetString(buffer, 0, await _socket!.ReceiveAsync(buffer).WaitAsync(Limits.HangTimeout));
    }
}
