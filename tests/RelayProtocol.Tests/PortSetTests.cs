using System.Net;
using RelayProtocol.Rpc;
using Xunit;

namespace RelayProtocol.Tests;

public class PortSetTests
{
    [Theory]
    [InlineData("", new int[0])]
    [InlineData("80", new[] { 80 })]
    [InlineData("80,3000-3002,65535", new[] { 80, 3000, 3001, 3002, 65535 })]
    [InlineData("5-5,4-6", new[] { 4, 5, 6 })]
    public void Ports_and_ranges_are_parsed(string text, int[] ports) =>
        Assert.Equal(ports, Enumerable.Range(1, 65535).Where(PortSet.Parse(text).Contains));

    [Theory]
    [InlineData(",")]
    [InlineData("80,")]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("9-8")]
    [InlineData("1-2-3")]
    [InlineData(" 80")]
    [InlineData("-80")]
    [InlineData("all")]
    public void Invalid_text_is_refused(string text) => Assert.Throws<FormatException>(() => PortSet.Parse(text));

    [Fact]
    public void Excluded_ports_are_left_out()
    {
        var selection = new AutoSelection(PortSet.Parse("10-12"), PortSet.Parse("11"), Udp: false);
        Assert.Equal([10, 12], Enumerable.Range(1, 65535).Where(port => selection.Contains(new GuestListener(IPAddress.Loopback, port))));
    }
}
