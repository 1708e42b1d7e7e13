using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Foreign;
using Wslrelay.Tests.EndToEnd.Guest;
using Wslrelay.Tests.EndToEnd.Harness;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>The PROXY protocol's header: byte for byte, and as nginx and haproxy read it.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly byte[] Signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    [Theory]
    [InlineData("direct", 4)]
    [InlineData("direct", 6)]
    [InlineData("tcp", 4)]
    [InlineData("tcp", 6)]
    [InlineData("unix", 4)]
    [InlineData(GuestLink.UnixWithoutPassing, 4)]
    [InlineData("vsock", 4)]
    public async Task The_header_comes_before_the_client_sends_and_nothing_else_is_changed(string hop, int family)
    {
        await using var chain = hop == "direct" ? null : await GuestChain.OpenAsync(hop);
        await using var own = chain is null ? RelayUnderTest.Serve() : null;
        var relay = chain?.Relay ?? own!;
        Assert.Contains("proxy", Assert.IsType<object?[]>(Assert.IsType<MsgMap>(await relay.ResultAsync("hello"))["capabilities"]));
        using var listener = Net.Listen(Net.Loopback(family));
        var mapping = await MapAsync(relay, family, ((IPEndPoint)listener.LocalEndPoint!).Port);
        using var pair = await RelayedPair.OpenAsync(mapping, listener);
        var header = Header((IPEndPoint)pair.Client.LocalEndPoint!, mapping.EndPoint);
        Assert.Equal(header, await pair.Guest.ReceiveExactlyAsync(header.Length));

        // A server that sends first.
        await pair.Guest.SendAllAsync("220 ready"u8.ToArray());
        Assert.Equal("220 ready"u8.ToArray(), await pair.Client.ReceiveExactlyAsync(9));
        var bytes = Net.RandomBytes(300_000);
        await pair.Client.SendAllAsync(bytes);
        pair.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(bytes, await pair.Guest.ReceiveToEndAsync());
    }

    [Fact]
    public async Task The_agent_logs_the_client()
    {
        await using var chain = await GuestChain.OpenAsync("tcp");
        var mapping = await MapAsync(chain.Relay, 4, Net.FreePort());
        using var client = await mapping.ConnectAsync();
        var name = $"client {client.LocalEndPoint}";
        await client.AssertResetAsync();
        await Limits.UntilAsync(() => chain.Agent.Log.Contains(name, StringComparison.Ordinal), "the agent to log the client");
    }

    [Fact]
    public async Task The_preamble_has_the_client_and_the_header_follows_it()
    {
        using var agent = new FakeAgent("tcp");
        await using var relay = RelayUnderTest.Serve("--target", agent.Target);
        var mapping = await MapAsync(relay, 4, 80);
        using var client = await mapping.ConnectAsync();
        var (connection, preamble) = await agent.AcceptPreambleAsync();
        Assert.Equal($"{client.LocalEndPoint}", preamble["client"]);
        var header = Header((IPEndPoint)client.LocalEndPoint!, mapping.EndPoint);
        Assert.Equal(header, await connection.ReceiveExactlyAsync(header.Length));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public Task Nginx_sees_the_client(int family)
    {
        Nginx.Require();
        return AssertSeenAsync(family, (folder, port) =>
        {
            var local = Net.Loopback(family, port);
            return ToolServer.StartAsync(local, "/usr/sbin/nginx", "-p", folder.Path, "-c", folder.Write("nginx.conf", $$"""
                daemon off;
                master_process off;
                pid {{folder.Path}}/pid;
                error_log stderr warn;
                events { worker_connections 64; }
                http {
                    access_log off;
                    client_body_temp_path {{folder.Path}}/body;
                    proxy_temp_path {{folder.Path}}/proxy;
                    fastcgi_temp_path {{folder.Path}}/fastcgi;
                    uwsgi_temp_path {{folder.Path}}/uwsgi;
                    scgi_temp_path {{folder.Path}}/scgi;
                    server {
                        listen {{local}} proxy_protocol;
                        location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port"; }
                    }
                }
                """));
        });
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public Task Haproxy_sees_the_client(int family)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        RequiredTool.Require("/usr/sbin/haproxy", "haproxy", "-v");
        return AssertSeenAsync(family, (folder, port) =>
        {
            var local = Net.Loopback(family, port);
            return ToolServer.StartAsync(local, "/usr/sbin/haproxy", "-db", "-f", folder.Write("haproxy.cfg", $"""
                defaults
                    mode http
                    timeout connect 60s
                    timeout client 60s
                    timeout server 60s
                frontend main
                    bind {local} accept-proxy
                    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"

                """));
        });
    }

    private static async Task AssertSeenAsync(int family, Func<TemporaryFolder, int, Task<ToolServer>> start)
    {
        Platform.OnLinuxOnly("Its programs are Debian's.");
        using var folder = new TemporaryFolder();
        var port = Net.FreePort();
        using var server = await start(folder, port);
        await using var relay = RelayUnderTest.Serve();
        var mapping = await MapAsync(relay, family, port);
        using var client = await mapping.ConnectAsync();
        await client.SendAllAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        var answer = System.Text.Encoding.ASCII.GetString(await client.ReceiveToEndAsync());
        var local = (IPEndPoint)client.LocalEndPoint!;
        Assert.EndsWith($"{local.Address} {local.Port} {mapping.Address} {mapping.HostPort}", answer, StringComparison.Ordinal);
    }

    private static async Task<Mapping> MapAsync(RelayUnderTest relay, int family, int guestPort)
    {
        var result = Assert.IsType<MsgMap>(Assert.Single(
            await relay.ResultsAsync("map", new MsgMap { ["family"] = family, ["guestPort"] = guestPort, ["proxy"] = 2 })));
        Assert.Equal(2L, result["proxy"]);
        return Mapping.Parse(result);
    }

    private static byte[] Header(IPEndPoint client, IPEndPoint accepted)
    {
        byte[] addresses = [.. client.Address.GetAddressBytes(), .. accepted.Address.GetAddressBytes()];
        var ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports.AsSpan(2), (ushort)accepted.Port);
        return [.. Signature, 0x21, (byte)(addresses.Length == 8 ? 0x11 : 0x21), 0, (byte)(addresses.Length + 4), .. addresses, .. ports];
    }
}
