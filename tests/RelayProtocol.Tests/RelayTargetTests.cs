using Xunit;

namespace RelayProtocol.Tests;

public class RelayTargetTests
{
    private const string VmId = "0cb41c0b-fd26-4a41-8370-dccb048e216e";

    [Theory]
    [InlineData("direct", RelayTargetKind.Direct, null, null, 0u, 0u)]
    [InlineData("direct:192.168.1.2", RelayTargetKind.Direct, "192.168.1.2", null, 0u, 0u)]
    [InlineData("direct:guest-1.local", RelayTargetKind.Direct, "guest-1.local", null, 0u, 0u)]
    [InlineData("direct:[fe80::1]", RelayTargetKind.Direct, "fe80::1", null, 0u, 0u)]
    [InlineData("tcp:localhost:5000", RelayTargetKind.Tcp, "localhost", null, 0u, 5000u)]
    [InlineData("tcp:[::1]:5000", RelayTargetKind.Tcp, "::1", null, 0u, 5000u)]
    [InlineData("tcp:10.0.0.1:65535", RelayTargetKind.Tcp, "10.0.0.1", null, 0u, 65535u)]
    [InlineData("unix:/run/agent.sock", RelayTargetKind.Unix, null, "/run/agent.sock", 0u, 0u)]
    [InlineData("unix:C:\\run\\agent.sock", RelayTargetKind.Unix, null, "C:\\run\\agent.sock", 0u, 0u)]
    [InlineData("vsock:3:1024", RelayTargetKind.VSock, null, null, 3u, 1024u)]
    [InlineData("vsock:4294967294:4294967294", RelayTargetKind.VSock, null, null, 4294967294u, 4294967294u)]
    [InlineData("firecracker:/run/fc.sock:52", RelayTargetKind.Firecracker, null, "/run/fc.sock", 0u, 52u)]
    [InlineData("firecracker:/run/a:b:0", RelayTargetKind.Firecracker, null, "/run/a:b", 0u, 0u)]
    public void Targets_are_read_and_written(string text, RelayTargetKind kind, string? host, string? path, uint cid, uint port)
    {
        RelayTarget target = RelayTarget.Parse(text);
        Assert.Equal((kind, host, path, cid, port), (target.Kind, target.Host, target.Path, target.Cid, target.Port));
        Assert.Equal(text, target.ToString());
        Assert.Equal(target, RelayTarget.Parse(target.ToString()));
        Assert.Equal(kind != RelayTargetKind.Direct, target.HasAgent);
        Assert.Equal(Guid.Empty, target.ServiceId);
    }

    [Theory]
    [InlineData(50000u, "0000c350-facb-11e6-bd58-64006a7986d3")]
    [InlineData(0x12345678u, "12345678-facb-11e6-bd58-64006a7986d3")]
    [InlineData(0u, "00000000-facb-11e6-bd58-64006a7986d3")]
    [InlineData(0xfffffffeu, "fffffffe-facb-11e6-bd58-64006a7986d3")]
    public void A_hvsocket_service_id_is_made_of_the_port(uint port, string serviceId)
    {
        RelayTarget target = RelayTarget.Parse($"hvsocket:{VmId}:{port}");
        Assert.Equal(new Guid(serviceId), target.ServiceId);
        Assert.Equal(new Guid(VmId), target.VmId);
        Assert.Equal(RelayTarget.HvSocket(new Guid(VmId), port), target);
        Assert.Equal($"hvsocket:{VmId}:{port}", target.ToString());
    }

    [Fact]
    public void A_virtual_machines_id_may_be_in_braces() =>
        Assert.Equal($"hvsocket:{VmId}:1", RelayTarget.Parse($"hvsocket:{{{VmId.ToUpperInvariant()}}}:1").ToString());

    [Fact]
    public void Made_targets_equal_read_ones()
    {
        Assert.Equal(RelayTarget.Parse("direct"), RelayTarget.Direct);
        Assert.Equal(RelayTarget.Parse("direct:[::1]"), RelayTarget.DirectTo("::1"));
        Assert.Equal(RelayTarget.Parse("tcp:a:1"), RelayTarget.Tcp("a", 1));
        Assert.Equal(RelayTarget.Parse("unix:/a"), RelayTarget.Unix("/a"));
        Assert.Equal(RelayTarget.Parse("vsock:2:3"), RelayTarget.VSock(2, 3));
        Assert.Equal(RelayTarget.Parse("firecracker:/a:3"), RelayTarget.Firecracker("/a", 3));
        Assert.Equal(System.Net.IPAddress.IPv6Loopback, RelayTarget.DirectTo("::1").HostAddress);
        Assert.Null(RelayTarget.DirectTo("localhost").HostAddress);
        Assert.Null(RelayTarget.Direct.HostAddress);
    }

    [Theory]
    [InlineData(null, "an empty target: expected direct")]
    [InlineData("", "an empty target")]
    [InlineData("Direct", "'Direct' is not a kind of target: expected direct, direct:HOST")]
    [InlineData("http://x", "'http' is not a kind of target")]
    [InlineData("direct:", "the host is missing")]
    [InlineData("direct:a:80", "direct takes no port")]
    [InlineData("direct:[::1]:80", "direct takes no port")]
    [InlineData("direct:::1", "an IPv6 address goes in brackets")]
    [InlineData("direct:127.1", "'127.1' is not an IP address")]
    [InlineData("direct:a b", "neither an IP address nor a host name")]
    [InlineData("direct:[127.0.0.1]", "brackets are for IPv6 addresses only")]
    [InlineData("direct:[::ffff:1.2.3.4]", "IPv4-mapped")]
    [InlineData("tcp", "the host is missing: expected tcp:HOST:PORT")]
    [InlineData("tcp:", "the host is missing")]
    [InlineData("tcp::80", "the host is missing")]
    [InlineData("tcp:host", "the port is missing: expected tcp:HOST:PORT")]
    [InlineData("tcp:host:", "the port is missing")]
    [InlineData("tcp:host:0", "the port 0 is out of range 1..65535")]
    [InlineData("tcp:host:65536", "the port 65536 is out of range 1..65535")]
    [InlineData("tcp:host:http", "the port 'http' is not a number")]
    [InlineData("tcp:host:-1", "the port '-1' is not a number")]
    [InlineData("tcp:::1:80", "an IPv6 address goes in brackets")]
    [InlineData("tcp:[::1:80", "the bracket is not closed")]
    [InlineData("tcp:[::1]80", "a colon must follow the bracket")]
    [InlineData("tcp:[::1]", "the port is missing")]
    [InlineData("unix", "the path is missing: expected unix:PATH")]
    [InlineData("unix:", "the path is missing: expected unix:PATH")]
    [InlineData("unix:a\0b", "NUL")]
    [InlineData("vsock", "expected vsock:CID:PORT")]
    [InlineData("vsock:3", "expected vsock:CID:PORT")]
    [InlineData("vsock:3:4:5", "expected vsock:CID:PORT")]
    [InlineData("vsock:host:4", "the context id 'host' is not a number")]
    [InlineData("vsock:3:", "the port is missing")]
    [InlineData("vsock::3", "the context id is missing")]
    [InlineData("vsock:3:4294967295", "the port 4294967295 is out of range 0..4294967294")]
    [InlineData("vsock:4294967295:1", "the context id 4294967295 is out of range")]
    [InlineData("vsock:3:99999999999", "out of range")]
    [InlineData("hvsocket", "expected hvsocket:VMID:PORT")]
    [InlineData("hvsocket:x:1", "'x' is not a GUID such as")]
    [InlineData("hvsocket:0cb41c0bfd264a418370dccb048e216e:1", "is not a GUID")]
    [InlineData("hvsocket:0cb41c0b-fd26-4a41-8370-dccb048e216e", "expected hvsocket:VMID:PORT")]
    [InlineData("hvsocket:0cb41c0b-fd26-4a41-8370-dccb048e216e:x", "the port 'x' is not a number")]
    [InlineData("firecracker", "expected firecracker:PATH:PORT")]
    [InlineData("firecracker:/a", "expected firecracker:PATH:PORT")]
    [InlineData("firecracker::1", "the path is missing")]
    [InlineData("firecracker:/a:", "the port is missing")]
    [InlineData("firecracker:/a:b", "the port 'b' is not a number")]
    public void Invalid_text_gets_an_error_that_says_what_is_wrong(string? text, string error)
    {
        Assert.False(RelayTarget.TryParse(text, out RelayTarget? target, out string? message));
        Assert.Null(target);
        Assert.Contains(error, message, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<FormatException>(() => RelayTarget.Parse(text!)).Message);
    }

    [Fact]
    public void A_path_has_to_fit_a_socket_address()
    {
        Assert.Equal(107, RelayTarget.Parse("unix:" + new string('a', 107)).Path!.Length);
        Assert.False(RelayTarget.TryParse("unix:" + new string('a', 108), out _, out string? error));
        Assert.Contains("108 bytes long, a socket's path at most 107", error, StringComparison.Ordinal);
        Assert.False(RelayTarget.TryParse("firecracker:" + new string('é', 54) + ":1", out _, out _));
    }

    [Fact]
    public void Made_targets_are_checked_too()
    {
        Assert.Throws<FormatException>(() => RelayTarget.DirectTo("a:b"));
        Assert.Throws<FormatException>(() => RelayTarget.Unix(""));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayTarget.Tcp("a", 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayTarget.VSock(uint.MaxValue, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayTarget.HvSocket(Guid.Empty, uint.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => RelayTarget.Firecracker("/a", uint.MaxValue));
    }
}
