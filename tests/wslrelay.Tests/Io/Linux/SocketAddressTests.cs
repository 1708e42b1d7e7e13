using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Wslrelay.Io;
using Wslrelay.Io.Linux.Interop;
using Xunit;
using SocketAddress = Wslrelay.Io.Linux.SocketAddress;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>The bytes of ip(7), ipv6(7), unix(7) and vsock(7), written over memory that is not zero; and those of .NET, where it has the family.</summary>
[SupportedOSPlatform("linux")]
public class SocketAddressTests
{
    public SocketAddressTests() => EndToEnd.Harness.Platform.OnLinuxOnly("The addresses are Linux's.");

    [Fact]
    public void InternetFour()
    {
        string bytes = Encode(IoEndpoint.Tcp(IPAddress.Parse("192.0.2.17"), 8080));
        Assert.Equal("0200" + "1F90" + "C0000211" + "0000000000000000", bytes);
        Assert.Equal(OfFramework(new IPEndPoint(IPAddress.Parse("192.0.2.17"), 8080)), bytes);
    }

    [Fact]
    public void InternetSix()
    {
        string bytes = Encode(IoEndpoint.Tcp(IPAddress.Parse("2001:db8::1"), 8080));
        Assert.Equal("0A00" + "1F90" + "00000000" + "20010DB8000000000000000000000001" + "00000000", bytes);
        Assert.Equal(OfFramework(new IPEndPoint(IPAddress.Parse("2001:db8::1"), 8080)), bytes);
    }

    [Fact]
    public void InternetSixWithAScope()
    {
        string bytes = Encode(IoEndpoint.Tcp(IPAddress.Parse("fe80::1%258"), 65535));
        Assert.Equal("0A00" + "FFFF" + "00000000" + "FE800000000000000000000000000001" + "02010000", bytes);
        Assert.Equal(OfFramework(new IPEndPoint(IPAddress.Parse("fe80::1%258"), 65535)), bytes);
    }

    [Fact]
    public void UnixPath()
    {
        string bytes = Encode(IoEndpoint.Unix("/run/ü"));
        Assert.Equal("0100" + "2F72756E2FC3BC" + "00", bytes);
        Assert.Equal(OfFramework(new UnixDomainSocketEndPoint("/run/ü")), bytes);
    }

    [Fact]
    public void UnixNameInTheAbstractNamespaceHasNoEndButItsLength()
    {
        string bytes = Encode(IoEndpoint.Unix("@relay@1"));
        Assert.Equal("0100" + "00" + "72656C61794031", bytes);
        Assert.Equal(OfFramework(new UnixDomainSocketEndPoint("\0relay@1")), bytes);
    }

    [Fact]
    public void TheLongestUnixPathEndsWithItsZero()
    {
        string path = "/" + new string('a', 106);
        string bytes = Encode(IoEndpoint.Unix(path));
        Assert.Equal("0100" + Convert.ToHexString(Encoding.ASCII.GetBytes(path)) + "00", bytes);
        Assert.Equal(OfFramework(new UnixDomainSocketEndPoint(path)), bytes);
    }

    [Theory]
    [InlineData("a", 107)]
    [InlineData("ü", 54)]
    public void AUnixPathThatIsTooLongIsRefused(string letter, int count)
    {
        string path = "/" + string.Concat(Enumerable.Repeat(letter, count));
        IoException refused = Assert.Throws<IoException>(() => Encode(IoEndpoint.Unix(path)));
        Assert.Equal((IoError.Failed, Errno.EINVAL), (refused.Error, refused.NativeError));
        Assert.Equal($"unix:{path}: a Unix socket's path is at most 107 bytes long", refused.Message);
    }

    [Theory]
    [InlineData(2u, 50000u, "2800" + "0000" + "50C30000" + "02000000" + "00" + "000000")]
    [InlineData(0x01020304u, 0x05060708u, "2800" + "0000" + "08070605" + "04030201" + "00" + "000000")]
    [InlineData(uint.MaxValue, 0xFFFFFFFEu, "2800" + "0000" + "FEFFFFFF" + "FFFFFFFF" + "00" + "000000")]
    public void Vsock(uint cid, uint port, string expected) => Assert.Equal(expected, Encode(IoEndpoint.Vsock(cid, port)));

    [Fact]
    public void HyperVAddressesAreRefused() =>
        Assert.Equal(IoError.NotSupported, Assert.Throws<IoException>(() => Encode(IoEndpoint.HvSocket(Guid.Empty, 1))).Error);

    [Theory]
    [InlineData("0200" + "1F90" + "7F000001" + "0000000000000000", "127.0.0.1:8080", null)]
    [InlineData("0A00" + "1F90" + "00000000" + "00000000000000000000000000000001" + "00000000", "[::1]:8080", null)]
    [InlineData("2800" + "0000" + "08070605" + "04030201" + "00" + "000000", null, 0x01020304u)]
    [InlineData("2800" + "0000" + "FFFFFFFF" + "FFFFFFFF" + "01" + "000000", null, uint.MaxValue)]
    public void AddressesFromTheKernelAreRead(string address, string? endPoint, uint? cid)
    {
        byte[] bytes = Convert.FromHexString(address);
        Assert.Equal((endPoint, cid), (SocketAddress.Read(bytes).ToEndPoint()?.ToString(), SocketAddress.Cid(bytes)));
    }

    [Fact]
    public void TheDomainMatchesTheAddressFamily()
    {
        IoEndpoint[] endpoints =
        [
            IoEndpoint.Unix("/x"), IoEndpoint.Tcp(IPAddress.Any, 1), IoEndpoint.Tcp(IPAddress.IPv6Any, 1), IoEndpoint.Vsock(1, 1),
        ];
        Assert.Equal([1, 2, 10, 40], endpoints.Select(endpoint => SocketAddress.Domain(endpoint)));
        Assert.Equal(["0100", "0200", "0A00", "2800"], endpoints.Select(endpoint => Encode(endpoint)[..4]));
    }

    private static string Encode(IoEndpoint endpoint)
    {
        byte[] bytes = new byte[SocketAddress.MaxSize];
        bytes.AsSpan().Fill(0xEE);
        return Convert.ToHexString(bytes, 0, SocketAddress.Write(endpoint, bytes));
    }

    private static string OfFramework(EndPoint endpoint)
    {
        System.Net.SocketAddress address = endpoint.Serialize();
        return Convert.ToHexString(address.Buffer.Span[..address.Size]);
    }
}
