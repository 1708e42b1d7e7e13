using System.Buffers;
using System.Net;
using MessagePack;
using RelayProtocol.Rpc;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

/// <summary>The bytes themselves: every key, in the shortest form.</summary>
public class WireFormatWriteTests
{
    private delegate void Writing(ref MessagePackWriter writer);

    private static string Written(Writing write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        write(ref writer);
        writer.Flush();
        return Convert.ToHexStringLower(buffer.WrittenSpan);
    }

    private static string Hex(string text) => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(text));

    private static readonly string Identity4 =
        $"a8{Hex("protocol")}a3{Hex("tcp")}a6{Hex("family")}04a7{Hex("address")}a9{Hex("127.0.0.1")}a8{Hex("hostPort")}cd1f90";

    [Fact]
    public void A_mapping() => Assert.Equal(
        $"85{Identity4}a9{Hex("guestPort")}50",
        Written((ref w) => WireFormat.WriteMapping(ref w, new PortMapping(8080, 80))));

    [Fact]
    public void A_mapping_of_the_other_family_and_protocol() => Assert.Equal(
        $"85a8{Hex("protocol")}a3{Hex("udp")}a6{Hex("family")}06a7{Hex("address")}a3{Hex("::1")}a8{Hex("hostPort")}00a9{Hex("guestPort")}ccff",
        Written((ref w) => WireFormat.WriteMapping(ref w, new PortMapping(IPAddress.IPv6Loopback, 0, 255, MapProtocol.Udp))));

    [Fact]
    public void A_status() => Assert.Equal(
        $"8a{Identity4}a9{Hex("guestPort")}50a8{Hex("accepted")}03a6{Hex("active")}01a6{Hex("failed")}02"
        + $"ac{Hex("bytesToGuest")}ce00010000ab{Hex("bytesToHost")}cf0000000100000000",
        Written((ref w) => WireFormat.WriteStatus(ref w, new PortMappingStatus(new(8080, 80), 3, 1, 2, 0x10000, 0x100000000))));

    [Fact]
    public void An_unmap_item()
    {
        PortMappingKey key = new PortMapping(8080, 80).Key;
        Assert.Equal($"84{Identity4}", Written((ref w) => WireFormat.WriteUnmapItem(ref w, new UnmapItem(key, null))));
        Assert.Equal(
            $"85{Identity4}a7{Hex("drainMs")}cd03e8",
            Written((ref w) => WireFormat.WriteUnmapItem(ref w, new UnmapItem(key, TimeSpan.FromSeconds(1)))));
    }

    [Fact]
    public void An_unmap_result() => Assert.Equal(
        $"82a6{Hex("active")}05a5{Hex("reset")}00", Written((ref w) => WireFormat.WriteUnmapResult(ref w, new UnmapResult(5, 0))));

    [Fact]
    public void Hello() => Assert.Equal(
        $"86a4{Hex("name")}a8{Hex("wslrelay")}a7{Hex("version")}a5{Hex("1.2.3")}a8{Hex("protocol")}01a3{Hex("pid")}cd1000"
        + $"a6{Hex("target")}a6{Hex("direct")}ac{Hex("capabilities")}91a3{Hex("tcp")}",
        Written((ref w) => WireFormat.WriteHello(ref w, new RelayHello("wslrelay", "1.2.3", 1, 4096, "direct", ["tcp"]))));

    [Fact]
    public void An_error()
    {
        string error = $"a4{Hex("code")}d280070490a4{Hex("name")}a8{Hex("NotFound")}a7{Hex("message")}a1{Hex("x")}";
        Assert.Equal($"83{error}", Written((ref w) => WireFormat.WriteError(ref w, new RelayError(RelayErrorCode.NotFound, "x"))));
        Assert.Equal(
            $"84{error}a5{Hex("index")}00", Written((ref w) => WireFormat.WriteError(ref w, new RelayError(RelayErrorCode.NotFound, "x", 0))));
    }

    [Fact]
    public void A_preamble() => Assert.Equal(
        $"84a1{Hex("v")}01a8{Hex("protocol")}a3{Hex("tcp")}a6{Hex("family")}04a4{Hex("port")}50",
        Written((ref w) => new GuestPreamble(4, 80).Write(ref w)));
}
