using Xunit;

namespace RelayProtocol.Tests;

public class AddressTextTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("::", "::")]
    [InlineData("0:0:0:0:0:0:0:1", "::1")]
    [InlineData("FE80::1", "fe80::1")]
    [InlineData("fe80::1%1", "fe80::1%1")]
    [InlineData("64:ff9b::1.2.3.4", "64:ff9b::102:304")]
    public void Literals_are_read(string text, string canonical)
    {
        Assert.True(AddressText.TryParse(text, out System.Net.IPAddress? address, out string? error), error);
        Assert.Equal(canonical, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("127.1")]
    [InlineData("127.0.1")]
    [InlineData("127.0.0.1.")]
    [InlineData("127.0.0.01")]
    [InlineData("0177.0.0.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("256.0.0.1")]
    [InlineData(" 127.0.0.1")]
    [InlineData("127.0.0.1 ")]
    [InlineData("127.0.0.1:80")]
    [InlineData("localhost")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("::1/128")]
    [InlineData(":::1")]
    [InlineData("::1::2")]
    [InlineData("12345::")]
    [InlineData("::g")]
    [InlineData(":")]
    [InlineData("::1%1")]
    [InlineData("127.0.0.1%1")]
    [InlineData("fe80::1%")]
    [InlineData("fe80::1%no-such-interface")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:7f00:1")]
    [InlineData("１27.0.0.1")]
    public void Anything_else_is_refused(string text)
    {
        Assert.False(AddressText.TryParse(text, out System.Net.IPAddress? address, out string? error));
        Assert.Null(address);
        Assert.NotEmpty(error);
    }

    [Fact]
    public void The_error_for_an_IPv4_mapped_address_gives_the_IPv4_form()
    {
        Assert.False(AddressText.TryParse("::ffff:127.0.0.1", out _, out string? error));
        Assert.Equal("is an IPv4-mapped address: write 127.0.0.1", error);
    }
}
