using Xunit;

namespace RelayProtocol.Tests;

public class PortMappingSpecTests
{
    [Theory]
    [InlineData("8080", "127.0.0.1:8080/tcp>8080")]
    [InlineData("8080:80", "127.0.0.1:8080/tcp>80")]
    [InlineData("8080:80/tcp", "127.0.0.1:8080/tcp>80")]
    [InlineData("8080/tcp", "127.0.0.1:8080/tcp>8080")]
    [InlineData("0:80", "127.0.0.1:0/tcp>80")]
    [InlineData("127.0.0.1:0:80", "127.0.0.1:0/tcp>80")]
    [InlineData("127.0.0.2:8080", "127.0.0.2:8080/tcp>8080")]
    [InlineData("0.0.0.0:8080:80", "0.0.0.0:8080/tcp>80")]
    [InlineData("[::1]:8080:80", "[::1]:8080/tcp>80")]
    [InlineData("[::1]:8080", "[::1]:8080/tcp>8080")]
    [InlineData("[::]:1-2:3-4", "[::]:1/tcp>3 [::]:2/tcp>4")]
    [InlineData("1", "127.0.0.1:1/tcp>1")]
    [InlineData("65535:65535", "127.0.0.1:65535/tcp>65535")]
    [InlineData("3000-3002", "127.0.0.1:3000/tcp>3000 127.0.0.1:3001/tcp>3001 127.0.0.1:3002/tcp>3002")]
    [InlineData("3000-3001:4000-4001/tcp", "127.0.0.1:3000/tcp>4000 127.0.0.1:3001/tcp>4001")]
    [InlineData("7-7:8", "127.0.0.1:7/tcp>8")]
    [InlineData("0:80-81", "127.0.0.1:0/tcp>80 127.0.0.1:0/tcp>81")]
    [InlineData("0-0:80", "127.0.0.1:0/tcp>80")]
    [InlineData("00080", "127.0.0.1:80/tcp>80")]
    [InlineData("localhost:80", "127.0.0.1:80/tcp>80 [::1]:80/tcp>80")]
    [InlineData("localhost:0:80", "127.0.0.1:0/tcp>80 [::1]:0/tcp>80")]
    [InlineData("localhost:1-2:3-4/udp", "127.0.0.1:1/udp>3 [::1]:1/udp>3 127.0.0.1:2/udp>4 [::1]:2/udp>4")]
    public void Mappings_are_read(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', PortMapping.ParseSpec(text).Select(m => $"{m}>{m.GuestPort}")));

    [Fact]
    public void Localhost_finds_a_server_of_either_family() => Assert.Equal([0, 0, 4, 6],
        ((string[])["localhost:80", "127.0.0.1:80", "[::1]:80"]).SelectMany(PortMapping.ParseSpec).Select(mapping => mapping.GuestFamily));

    [Fact]
    public void A_range_can_hold_every_port() => Assert.Equal(65535, PortMapping.ParseSpec("1-65535").Count);

    [Theory]
    [InlineData(null, "an empty mapping")]
    [InlineData("", "an empty mapping")]
    [InlineData(":", "host port is missing")]
    [InlineData(":80", "host port is missing")]
    [InlineData("80:", "guest port is missing")]
    [InlineData("/tcp", "host port is missing")]
    [InlineData("80/", "'' is not a protocol")]
    [InlineData("80/TCP", "'TCP' is not a protocol: expected tcp or udp")]
    [InlineData("80/sctp", "'sctp' is not a protocol")]
    [InlineData("http", "host port 'http' is not a number")]
    [InlineData("+80", "host port '+80' is not a number")]
    [InlineData(" 80", "host port ' 80' is not a number")]
    [InlineData("80 ", "host port '80 ' is not a number")]
    [InlineData("8O:80", "'8O' is not an IP address")]
    [InlineData("80:8O", "guest port '8O' is not a number")]
    [InlineData("65536", "host port 65536 is out of range 0..65535")]
    [InlineData("99999999999999999999", "host port 99999999999999999999 is out of range 0..65535")]
    [InlineData("80:70000", "guest port 70000 is out of range 1..65535")]
    [InlineData("80:0", "guest port 0 is out of range 1..65535")]
    [InlineData("0", "host port 0 (the system chooses) needs a guest port: 0:GUESTPORT")]
    [InlineData("127.0.0.1:0", "needs a guest port")]
    [InlineData("0-5:10-15", "a range of host ports begins at 1")]
    [InlineData("0-5", "needs a guest port")]
    [InlineData("-5", "host port is missing on one side of the dash")]
    [InlineData("5-", "host port is missing on one side of the dash")]
    [InlineData("1-2-3", "host port '2-3' is not a number")]
    [InlineData("10-9", "host ports 10-9 run backwards")]
    [InlineData("1-2:9-8", "guest ports 9-8 run backwards")]
    [InlineData("1-2:80", "2 host ports but 1 guest port: the ranges must be of the same length")]
    [InlineData("80:1-2", "1 host port but 2 guest ports")]
    [InlineData("65530-65536", "65536 is out of range")]
    [InlineData("1:2:3", "'1' is not an IP address")]
    [InlineData("1.2.3:4:5", "'1.2.3' is not an IP address")]
    [InlineData("localhost", "not a number")]
    [InlineData("localhost:", "host port is missing")]
    [InlineData("Localhost:80", "'Localhost' is not an IP address")]
    [InlineData("*:80:80", "'*' is not an IP address")]
    [InlineData("::80", "the address is empty: leave its colon out")]
    [InlineData("::1:80", "too many colons (an IPv6 address goes in brackets)")]
    [InlineData("1.2.3.4:1:2:3", "too many colons")]
    [InlineData("[::1]:1:2:3", "too many colons")]
    [InlineData("[::1]", "followed by a colon and a port")]
    [InlineData("[::1", "followed by a colon and a port")]
    [InlineData("[::1]80", "followed by a colon and a port")]
    [InlineData("[::1]:", "host port is missing")]
    [InlineData("[]:80", "the address is empty")]
    [InlineData("[127.0.0.1]:80", "brackets are for IPv6 addresses, and only for them")]
    [InlineData("[::ffff:1.2.3.4]:80", "IPv4-mapped address: write 1.2.3.4")]
    public void Invalid_text_gets_an_error_that_says_what_is_wrong(string? text, string error)
    {
        Assert.False(PortMapping.TryParseSpec(text, out IReadOnlyList<PortMapping>? mappings, out string? message));
        Assert.Null(mappings);
        Assert.Contains(error, message, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<FormatException>(() => PortMapping.ParseSpec(text!)).Message);
    }
}
