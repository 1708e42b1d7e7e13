using System.Net;
using MessagePack;
using RelayProtocol.Rpc;
using Xunit;

namespace RelayProtocol.Tests.Rpc;

public class WireFormatReadTests
{
    private static PortMapping Map(params (string Key, object? Value)[] keys) =>
        Assert.Single(WireFormat.ReadMapParams(Pack.Array(Pack.Map(keys))));

    private static RelayError Refused(params (string Key, object? Value)[] keys) =>
        Assert.Throws<RelayException>(() => Map(keys)).Error;

    [Fact]
    public void A_mapping_has_the_protocols_defaults()
    {
        Assert.Equal(new PortMapping(IPAddress.Loopback, 0, 80), Map(("guestPort", 80)));
        Assert.Equal(new PortMapping(IPAddress.IPv6Loopback, 0, 80), Map(("guestPort", 80), ("family", 6)));
        Assert.Equal(
            new PortMapping(IPAddress.Parse("10.0.0.1"), 8080, 80),
            Map(("hostPort", 8080), ("address", "10.0.0.1"), ("guestPort", 80), ("family", 4), ("protocol", "tcp")));
    }

    [Fact]
    public void Nil_is_absent() => Assert.Equal(
        new PortMapping(0, 80), Map(("protocol", null), ("family", null), ("address", null), ("hostPort", null), ("guestPort", 80)));

    [Fact]
    public void Unknown_keys_of_any_kind_are_ignored() => Assert.Equal(
        new PortMapping(0, 80),
        Assert.Single(WireFormat.ReadMapParams(Pack.Array((object)Pack.Hex(
            "86 a1 78 c0 a1 78 93 01 02 03 05 81 01 02 c2 c3 cb 0000000000000000 c3 a9 6775657374506f7274 50")))));

    [Fact]
    public void Keys_and_texts_may_be_bin_and_integers_of_any_width()
    {
        byte[] map = [0x84, .. Pack.Bin("protocol"), .. Pack.Bin("tcp"), .. Pack.Bin("address"), .. Pack.Bin("127.0.0.2"),
            .. Pack.Bin("hostPort"), .. Pack.Hex("cf 0000000000001f90"), .. Pack.Bin("guestPort"), .. Pack.Int64(80)];
        Assert.Equal(new PortMapping(IPAddress.Parse("127.0.0.2"), 8080, 80), Assert.Single(WireFormat.ReadMapParams(Pack.Array(map))));
    }

    [Theory]
    [InlineData("guestPort", null, "guestPort: is missing")]
    [InlineData("guestPort", 0, "guestPort: 0 is out of range 1..65535")]
    [InlineData("guestPort", -1, "guestPort: -1 is out of range 1..65535")]
    [InlineData("guestPort", 70000, "guestPort: 70000 is out of range 1..65535")]
    [InlineData("guestPort", 4294967376L, "guestPort: 4294967376 is out of range 1..65535")]
    [InlineData("guestPort", "80", "guestPort: is not an integer")]
    [InlineData("guestPort", true, "guestPort: is not an integer")]
    [InlineData("hostPort", 65536, "hostPort: 65536 is out of range 0..65535")]
    [InlineData("hostPort", -1, "hostPort: -1 is out of range 0..65535")]
    [InlineData("hostPort", "x", "hostPort: is not an integer")]
    [InlineData("family", 5, "family: 5 is neither 4 nor 6")]
    [InlineData("family", 4294967300L, "family: 4294967300 is neither 4 nor 6")]
    [InlineData("family", "4", "family: is not an integer")]
    [InlineData("protocol", "sctp", "protocol: 'sctp' is neither tcp nor udp")]
    [InlineData("protocol", "TCP", "protocol: 'TCP' is neither tcp nor udp")]
    [InlineData("protocol", 6, "protocol: is not a string")]
    [InlineData("address", 1, "address: is not a string")]
    [InlineData("address", "", "address: '' is not an IP address")]
    [InlineData("address", "127.1", "address: '127.1' is not an IP address")]
    [InlineData("address", "localhost", "address: 'localhost' is not an IP address")]
    [InlineData("address", "::1", "address: ::1 is not an IPv4 address, and family is 4")]
    [InlineData("address", "::ffff:127.0.0.1", "IPv4-mapped")]
    public void A_bad_value_names_its_key(string key, object? value, string message)
    {
        RelayError error = Refused(key == "guestPort" ? [(key, value)] : [("guestPort", 80), (key, value)]);
        Assert.Equal(("InvalidParams", 0), (error.Name, error.Index));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_IPv4_address_is_not_of_family_6() => Assert.Equal(
        "address: 127.0.0.1 is not an IPv6 address, and family is 6",
        Refused(("guestPort", 80), ("family", 6), ("address", "127.0.0.1")).Message);

    [Fact]
    public void An_integer_beyond_64_signed_bits_is_out_of_range() => Assert.Equal(
        "guestPort: 18446744073709551615 is out of range 1..65535", Refused(("guestPort", Pack.Hex("cf ffffffffffffffff"))).Message);

    [Fact]
    public void A_float_is_not_an_integer() =>
        Assert.Equal("guestPort: is not an integer", Refused(("guestPort", Pack.Hex("cb 4054000000000000"))).Message);

    [Theory]
    [InlineData("udp", 999, "idleMs: 999 is out of range 1000..86400000")]
    [InlineData("udp", 86_400_001, "idleMs: 86400001 is out of range 1000..86400000")]
    [InlineData("tcp", 1000, "idleMs: only a udp mapping has flows that end when they are idle")]
    public void An_idle_time_is_checked(string protocol, int idle, string message) =>
        Assert.Equal(message, Refused(("guestPort", 80), ("protocol", protocol), ("idleMs", idle)).Message);

    [Fact]
    public void A_key_twice_is_refused() =>
        Assert.Equal("guestPort: is there more than once", Refused(("guestPort", 80), ("guestPort", 80)).Message);

    [Fact]
    public void The_index_is_the_failing_items()
    {
        byte[] good = Pack.Map(("guestPort", 80));
        RelayError error = Assert.Throws<RelayException>(() => WireFormat.ReadMapParams(Pack.Array(good, good, 7, good))).Error;
        Assert.Equal((2, "a mapping: is not a map"), (error.Index, error.Message));
        error = Assert.Throws<RelayException>(() => WireFormat.ReadMapParams(Pack.Array())).Error;
        Assert.Equal((null, "InvalidParams", "params: at least one mapping is needed"), (error.Index, error.Name, error.Message));
        Assert.Equal(3, WireFormat.ReadMapParams(Pack.Array(good, good, good)).Count);
    }

    [Fact]
    public void Unmap_needs_a_host_port_and_may_drain()
    {
        byte[] parameters = Pack.Array(
            Pack.Map(("hostPort", 80)), Pack.Map(("hostPort", 81), ("family", 6), ("drainMs", 0)), Pack.Map(("hostPort", 1), ("drainMs", 3600000)));
        Assert.Equal(
            [
                new UnmapItem(new(IPAddress.Loopback, 80), null),
                new UnmapItem(new(IPAddress.IPv6Loopback, 81), TimeSpan.Zero),
                new UnmapItem(new(IPAddress.Loopback, 1), TimeSpan.FromHours(1)),
            ],
            WireFormat.ReadUnmapParams(parameters));
        Assert.Equal("hostPort: is missing", Unmapped().Message);
        Assert.Equal("drainMs: 3600001 is out of range 0..3600000", Unmapped(("hostPort", 1), ("drainMs", 3600001)).Message);
        Assert.Equal("drainMs: -1 is out of range 0..3600000", Unmapped(("hostPort", 1), ("drainMs", -1)).Message);

        static RelayError Unmapped(params (string, object?)[] keys) =>
            Assert.Throws<RelayException>(() => WireFormat.ReadUnmapParams(Pack.Array(Pack.Map(keys)))).Error;
    }

    [Fact]
    public void Hello_may_ask_for_version_1_only()
    {
        WireFormat.CheckHelloParams(Pack.Array());
        WireFormat.CheckHelloParams(Pack.Array((object?)null));
        WireFormat.CheckHelloParams(Pack.Array(Pack.Map()));
        WireFormat.CheckHelloParams(Pack.Array(Pack.Map(("protocol", 1), ("more", 2))));
        Assert.Equal("NotSupported", Refusal(Pack.Map(("protocol", 2))).Name);
        Assert.Equal("protocol: is not an integer", Refusal(Pack.Map(("protocol", "1"))).Message);
        Assert.Equal("params: is not a map", Refusal(1).Message);

        static RelayError Refusal(object parameter) =>
            Assert.Throws<RelayException>(() => WireFormat.CheckHelloParams(Pack.Array(parameter))).Error;
    }

    [Fact]
    public void An_errors_code_may_be_signed_or_unsigned()
    {
        foreach (object code in (object[])[-2147024809, 0x80070057L])
        {
            var reader = new MessagePackReader(Pack.Map(("code", code), ("name", "InvalidParams"), ("message", "m"), ("index", 4)));
            Assert.Equal(new RelayError(RelayErrorCode.InvalidParams, "m", 4), WireFormat.ReadError(ref reader));
        }
    }

    [Theory]
    [InlineData("v", 2, "NotSupported")]
    [InlineData("v", null, "InvalidParams")]
    [InlineData("protocol", "x", "InvalidParams")]
    [InlineData("family", 5, "InvalidParams")]
    [InlineData("port", 0, "InvalidParams")]
    [InlineData("port", null, "InvalidParams")]
    [InlineData("port", 65536, "InvalidParams")]
    public void A_preamble_is_checked(string key, object? value, string name)
    {
        var keys = new Dictionary<string, object?> { ["v"] = 1, ["protocol"] = "tcp", ["family"] = 6, ["port"] = 80 };
        var good = new MessagePackReader(Pack.Of(keys));
        Assert.Equal(new GuestPreamble(6, 80), GuestPreamble.Read(ref good));
        keys[key] = value;
        RelayError error = Assert.Throws<RelayException>(() =>
        {
            var reader = new MessagePackReader(Pack.Of(keys));
            GuestPreamble.Read(ref reader);
        }).Error;
        Assert.Equal(name, error.Name);
        Assert.StartsWith(key + ":", error.Message, StringComparison.Ordinal);
    }
}
