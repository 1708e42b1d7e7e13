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
        $"87{Identity4}a9{Hex("guestPort")}50ab{Hex("guestFamily")}04a5{Hex("proxy")}00",
        Written((ref w) => WireFormat.WriteMapping(ref w, new PortMapping(8080, 80))));

    [Fact]
    public void A_mapping_to_be_made_has_only_what_it_needs()
    {
        string needed = $"{Identity4}a9{Hex("guestPort")}50";
        Assert.Equal($"85{needed}", Written((ref w) => WireFormat.WriteMapItem(ref w, new PortMapping(8080, 80))));
        Assert.Equal(
            $"87{needed}ab{Hex("guestFamily")}00a5{Hex("proxy")}02",
            Written((ref w) => WireFormat.WriteMapItem(ref w, new PortMapping(8080, 80) { GuestFamily = 0, Proxy = 2 })));
    }

    [Fact]
    public void A_mapping_of_the_other_family_and_protocol() => Assert.Equal(
        $"87a8{Hex("protocol")}a3{Hex("udp")}a6{Hex("family")}06a7{Hex("address")}a3{Hex("::1")}a8{Hex("hostPort")}00a9{Hex("guestPort")}ccffab{Hex("guestFamily")}06a6{Hex("idleMs")}cdea60",
        Written((ref w) => WireFormat.WriteMapping(ref w, new PortMapping(IPAddress.IPv6Loopback, 0, 255, MapProtocol.Udp))));

    [Fact]
    public void A_status() => Assert.Equal(
        $"8f{Identity4}a9{Hex("guestPort")}50ab{Hex("guestFamily")}04a5{Hex("proxy")}00a8{Hex("accepted")}03a6{Hex("active")}01a6{Hex("failed")}02"
        + $"ac{Hex("bytesToGuest")}ce00010000ab{Hex("bytesToHost")}cf0000000100000000a5{Hex("since")}cd01f4"
        + $"a9{Hex("lastError")}83a4{Hex("name")}a1{Hex("N")}a7{Hex("message")}a1{Hex("m")}a2{Hex("at")}cd03e8a4{Hex("auto")}c2",
        Written((ref w) => WireFormat.WriteStatus(ref w, new PortMappingStatus(new(8080, 80), 3, 1, 2, 0x10000, 0x100000000)
        {
            Since = DateTimeOffset.UnixEpoch.AddMilliseconds(500),
            LastError = new RelayFailure("N", "m", DateTimeOffset.UnixEpoch.AddSeconds(1)),
        })));

    [Fact]
    public void Events()
    {
        string head = $"a5{Hex("event")}a6{Hex("mapped")}a2{Hex("at")}05";
        Assert.Equal(
            $"8a{head}{Identity4}a9{Hex("guestPort")}50ab{Hex("guestFamily")}04a5{Hex("proxy")}00a4{Hex("auto")}c3",
            Written((ref w) => EventFormat.Write(ref w, new MappedEvent(new(8080, 80), Auto: true) { At = DateTimeOffset.UnixEpoch.AddMilliseconds(5) })));
        Assert.Equal(
            $"83a5{Hex("event")}a4{Hex("lost")}a2{Hex("at")}05a5{Hex("count")}07",
            Written((ref w) => EventFormat.Write(ref w, new LostEvent(7) { At = DateTimeOffset.UnixEpoch.AddMilliseconds(5) })));
    }

    [Fact]
    public void A_connection() => Assert.Equal(
        $"8a{Identity4}a9{Hex("guestPort")}50a6{Hex("client")}a9{Hex("1.2.3.4:5")}a5{Hex("since")}05a5{Hex("state")}aa{Hex("connecting")}"
        + $"ac{Hex("bytesToGuest")}07ab{Hex("bytesToHost")}c0",
        Written((ref w) => ConnectionFormat.Write(ref w, new RelayConnection(
            new(IPAddress.Loopback, 8080), 80, IPEndPoint.Parse("1.2.3.4:5"), DateTimeOffset.FromUnixTimeMilliseconds(5), RelayConnectionState.Connecting, 7, null))));

    /// <summary>The longest there can be is known, since an answer must not be longer than its reader takes.</summary>
    [Theory]
    [InlineData(RelayConnectionState.Connecting)]
    [InlineData(RelayConnectionState.Open)]
    [InlineData(RelayConnectionState.ClientEnded)]
    [InlineData(RelayConnectionState.ServerEnded)]
    [InlineData(RelayConnectionState.Flow)]
    public void A_connection_is_read_as_it_was_written(RelayConnectionState state)
    {
        IPAddress address = new([0xfe, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa], uint.MaxValue);
        RelayConnection item = new(
            new(address, 65535, MapProtocol.Udp), 65535, new(address, 65535), DateTimeOffset.FromUnixTimeMilliseconds(1L << 44), state, long.MaxValue, long.MaxValue);
        string hex = Written((ref w) => ConnectionFormat.Write(ref w, item));
        Assert.InRange(hex.Length / 2, 200, ConnectionFormat.MaxItemSize);
        Assert.Contains(Hex(state.ToString()[1..]), hex, StringComparison.Ordinal);
    }

    public static TheoryData<RelayEvent> AllEvents { get; } =
    [
        new ConnectionFailedEvent(new(8080, 80), IPEndPoint.Parse("[::1]:5000"), new RelayError(RelayErrorCode.TimedOut, "m")),
        new ConnectionFailedEvent(new(8080, 80), null, new RelayError(7, "Unknown", "m")),
        new MappedEvent(new(IPAddress.IPv6Loopback, 1, 2), Auto: true) { Program = "node" }, new UnmappedEvent(new(8080, 80)),
        new MapFailedEvent(new(8080, 80), new RelayError(RelayErrorCode.AddressInUse, "m")),
        new AgentEvent(IsUp: true), new AgentEvent(IsUp: false, new RelayError(RelayErrorCode.ConnectionRefused, "m")), new LostEvent(1L << 40),
    ];

    [Theory]
    [MemberData(nameof(AllEvents))]
    public void An_event_is_read_as_it_was_written(RelayEvent item)
    {
        item = item with { At = DateTimeOffset.FromUnixTimeMilliseconds(item.At.ToUnixTimeMilliseconds()) };
        string hex = Written((ref w) => EventFormat.Write(ref w, item));
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.Equal(item, EventFormat.Read(ref reader));
        Assert.True(reader.End);
    }

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
