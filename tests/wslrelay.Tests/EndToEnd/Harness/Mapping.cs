using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>A mapping as the relay reports it; every key of the contract is present.</summary>
internal sealed record Mapping(string Protocol, int Family, string Address, int HostPort, int GuestPort)
{
    public static readonly string[] Identity = ["protocol", "family", "address", "hostPort"];

    public static readonly string[] Keys = [.. Identity, "guestPort", "guestFamily", "proxy"];

    public IPEndPoint EndPoint => new(IPAddress.Parse(Address), HostPort);

    /// <summary>As messages write it.</summary>
    public string Name => Family == 6 ? $"[{Address}]:{HostPort}/{Protocol}" : $"{Address}:{HostPort}/{Protocol}";

    public static Mapping Parse(object? result)
    {
        var map = Assert.IsType<MsgMap>(result);
        Assert.Equal("udp".Equals(map["protocol"]) ? ["proxy"] : [], Keys.Except(map.Keys));
        return new Mapping(
            Assert.IsType<string>(map["protocol"]),
            (int)Assert.IsType<long>(map["family"]),
            Assert.IsType<string>(map["address"]),
            (int)Assert.IsType<long>(map["hostPort"]),
            (int)Assert.IsType<long>(map["guestPort"]));
    }

    /// <summary>The keys that identify this mapping in an unmap request, none left to its default.</summary>
    public MsgMap ToUnmap() => new() { ["protocol"] = Protocol, ["family"] = Family, ["address"] = Address, ["hostPort"] = HostPort };

    public Socket Open() => new(EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
}
