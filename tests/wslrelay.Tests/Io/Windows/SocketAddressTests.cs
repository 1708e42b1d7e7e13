using System.Net;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Windows;
using Wslrelay.Io.Windows.Interop;
using Xunit;
using SocketAddress = Wslrelay.Io.Windows.SocketAddress;

namespace Wslrelay.Tests.Io.Windows;

[SupportedOSPlatform("windows")]
public class SocketAddressTests
{
    [Fact]
    public void HyperV()
    {
        var vm = new Guid("00112233-4455-6677-8899-aabbccddeeff");
        Assert.Equal(
            "22000000" + "33221100554477668899AABBCCDDEEFF" + "50C30000CBFAE611BD5864006A7986D3",
            Encode(IoEndpoint.HvSocket(vm, 50000)));
    }

    [Fact]
    public void HyperVWildcard()
    {
        byte[] bytes = new byte[SocketAddress.MaxLength];
        Assert.Equal(36, SocketAddress.EncodeWildcard(Ws2_32.AF_HYPERV, 0, bytes));
        Assert.Equal("22" + new string('0', 70), Convert.ToHexString(bytes));
    }

    [Fact]
    public void HyperVOptions()
    {
        Assert.Equal(1, Ws2_32.HV_PROTOCOL_RAW);
        Assert.Equal([(0x04, 1), (0x01, 30_000)], Connect.HvOptions);
    }

    [Fact]
    public void InternetFour() =>
        Assert.Equal("02001F907F0000010000000000000000", Encode(IoEndpoint.Tcp(IPAddress.Loopback, 8080)));

    [Fact]
    public void InternetSix() => Assert.Equal(
        "17001F9000000000" + "FE800000000000000000000000000001" + "05000000",
        Encode(IoEndpoint.Tcp(IPAddress.Parse("fe80::1%5"), 8080)));

    private static string Encode(IoEndpoint endpoint)
    {
        byte[] bytes = new byte[SocketAddress.MaxLength];
        bytes.AsSpan().Fill(0xEE);
        return Convert.ToHexString(bytes, 0, SocketAddress.Encode(endpoint, bytes));
    }
}
