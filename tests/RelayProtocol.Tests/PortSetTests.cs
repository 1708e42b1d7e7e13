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
    public void Names_ports_and_ranges(string text, int[] ports) =>
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
    public void Refuses_what_names_none(string text) => Assert.Throws<FormatException>(() => PortSet.Parse(text));

    [Fact]
    public void Leaves_out_what_is_excluded()
    {
        var selection = AutoSelection.Of(new AutoMapOptions { Ports = "10-12", Exclude = "11" });
        Assert.Equal([10, 12], Enumerable.Range(1, 65535).Where(port => selection.Contains(new GuestListener(IPAddress.Loopback, port))));
    }
}
