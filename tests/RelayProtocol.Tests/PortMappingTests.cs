using System.Net;
using Xunit;

namespace RelayProtocol.Tests;

public class PortMappingTests
{
    [Theory]
    [InlineData("127.0.0.1", 8080, "127.0.0.1:8080/tcp", 4)]
    [InlineData("::1", 8080, "[::1]:8080/tcp", 6)]
    [InlineData("0.0.0.0", 0, "0.0.0.0:0/tcp", 4)]
    [InlineData("2001:DB8:0:0:0:0:0:1", 65535, "[2001:db8::1]:65535/tcp", 6)]
    public void The_identity_is_written_as_messages_write_it(string address, int port, string identity, int family)
    {
        var mapping = new PortMapping(IPAddress.Parse(address), port, 80);
        Assert.Equal(identity, mapping.ToString());
        Assert.Equal(family, mapping.Family);
        Assert.Equal(identity, mapping.Key.ToString());
    }

    [Theory]
    [InlineData(-1, 80)]
    [InlineData(65536, 80)]
    [InlineData(80, 0)]
    [InlineData(80, -1)]
    [InlineData(80, 65536)]
    public void Ports_out_of_range_are_refused(int host, int guest) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PortMapping(host, guest));

    [Fact]
    public void An_IPv4_mapped_address_is_refused() =>
        Assert.Throws<ArgumentException>(() => new PortMapping(IPAddress.Parse("::ffff:127.0.0.1"), 1, 1));

    [Fact]
    public void Mappings_compare_by_value()
    {
        Assert.Equal(new PortMapping(1, 2), new PortMapping(IPAddress.Parse("127.0.0.1"), 1, 2));
        Assert.NotEqual(new PortMapping(1, 2), new PortMapping(1, 3));
        Assert.Equal(new PortMapping(1, 2).Key, new PortMapping(1, 3).Key);
        Assert.NotEqual(new PortMapping(IPAddress.Loopback, 1, 2).Key, new PortMapping(IPAddress.IPv6Loopback, 1, 2).Key);
        Assert.Equal(new PortMapping(9, 2), new PortMapping(1, 2).WithHostPort(9));
    }
}
