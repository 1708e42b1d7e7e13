using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>The relay's part of section 3, written by the test: valid and invalid preambles, and the agent's answers.</summary>
internal static class Preamble
{
    public static byte[] Of(int port, object? version = null, object? protocol = null, object? family = null) => MsgEncoder.Encode(
        new MsgMap { ["v"] = version ?? 1, ["protocol"] = protocol ?? "tcp", ["family"] = family ?? 4, ["port"] = port });

    /// <summary>With one of the keys by which a relay offers more: pass, ends or spare.</summary>
    public static byte[] Offering(string key, int port, object? offer = null) =>
        MsgEncoder.Encode(new MsgMap { ["v"] = 1, ["protocol"] = "tcp", ["family"] = 4, ["port"] = port, [key] = offer ?? true });

    /// <summary>A preamble of exactly so many bytes, by means of an unknown key.</summary>
    public static byte[] OfSize(int size, int port)
    {
        var map = new MsgMap { ["v"] = 1, ["protocol"] = "tcp", ["family"] = 4, ["port"] = port, ["more"] = Array.Empty<byte>() };
        var least = MsgEncoder.Encode(map).Length;
        map["more"] = new byte[size - least - 1];
        return MsgEncoder.Encode(map);
    }

    /// <summary>The preambles that the agent must refuse, each with the error's name and a part of its message.</summary>
    public static TheoryCase[] Broken(int port) =>
    [
        new("not MessagePack", [0xc1], "InvalidParams", "not MessagePack"),
        new("a web request", "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), "InvalidParams", "preamble"),
        new("nil", [0xc0], "InvalidParams", "not a map"),
        new("an integer", [0x05], "InvalidParams", "not a map"),
        new("an array", MsgEncoder.Encode([new object?[] { 1, "tcp", 4, port }]), "InvalidParams", "not a map"),
        new("an empty map", MsgEncoder.Encode(new MsgMap()), "InvalidParams", "v"),
        new("version 2", Of(port, version: 2), "NotSupported", "v"),
        new("a version that is text", Of(port, version: "1"), "InvalidParams", "v"),
        new("another protocol", Of(port, protocol: "sctp"), "InvalidParams", "protocol"),
        new("a protocol that is a number", Of(port, protocol: 6), "InvalidParams", "protocol"),
        new("family 5", Of(port, family: 5), "InvalidParams", "family"),
        new("family 2", Of(port, family: 2), "InvalidParams", "family"),
        new("a family that is text", Of(port, family: "4"), "InvalidParams", "family"),
        new("port 0", Of(0), "InvalidParams", "port"),
        new("port 65536", Of(65536), "InvalidParams", "port"),
        new("port -1", Of(-1), "InvalidParams", "port"),
        new("no port", MsgEncoder.Encode(new MsgMap { ["v"] = 1, ["protocol"] = "tcp", ["family"] = 4 }), "InvalidParams", "port"),
        new("1,025 bytes", OfSize(1025, port), "InvalidParams", "1024"),
        new("an announced gigabyte", [0xdb, 0x40, 0, 0, 0], "InvalidParams", "1024"),
        new("a map of 4,294,967,295", [0xdf, 0xff, 0xff, 0xff, 0xff], "InvalidParams", "1024"),
        new("seventeen nested arrays", [.. Enumerable.Repeat((byte)0x91, 17)], "InvalidParams", "preamble"),
    ];

    /// <summary>The agent's answer: nil, or an error; nothing after it is read.</summary>
    public static async Task<Fault?> ReadAnswerAsync(this Socket agent)
    {
        var bytes = new List<byte>();
        while (true)
        {
            bytes.AddRange(await agent.ReceiveExactlyAsync(1));
            if (MsgDecoder.TryDecode([.. bytes], out var value, out _))
                return value is null ? null : Fault.Parse(value);
        }
    }

    /// <summary>A preamble, with the error that the agent must answer.</summary>
    public sealed record TheoryCase(string What, byte[] Bytes, string Name, string Part);
}
