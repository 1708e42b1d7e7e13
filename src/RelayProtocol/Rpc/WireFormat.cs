using System.Net;
using System.Net.Sockets;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// Writes and reads the values of the protocol, for the parent, the relay and the agent. Every key is written, in the shortest encoding; reading is strict
/// (see <see cref="MapFields"/>) and expects well-formed objects. Stateless; any thread.
/// </summary>
/// <remarks>
/// Source: the protocol document, section 1. Reading throws <see cref="RelayException"/>: InvalidParams with a message that names the
/// key, or NotSupported. This file has the values; WireFormat.Params.cs the params of requests.
/// </remarks>
internal static partial class WireFormat
{
    /// <summary>The longest drain, in milliseconds: an hour.</summary>
    internal const int MaxDrainMilliseconds = 3_600_000;

    internal static void WriteMapping(ref MessagePackWriter writer, PortMapping mapping)
    {
        writer.WriteMapHeader(5);
        WriteMappingKeys(ref writer, mapping);
    }

    internal static PortMapping ReadMapping(ref MessagePackReader reader) => Mapping(MapFields.Read(ref reader, "a mapping"));

    internal static void WriteStatus(ref MessagePackWriter writer, PortMappingStatus status)
    {
        writer.WriteMapHeader(10);
        WriteMappingKeys(ref writer, status.Mapping);
        writer.Write("accepted");
        writer.Write(status.Accepted);
        writer.Write("active");
        writer.Write(status.Active);
        writer.Write("failed");
        writer.Write(status.Failed);
        writer.Write("bytesToGuest");
        writer.Write(status.BytesToGuest);
        writer.Write("bytesToHost");
        writer.Write(status.BytesToHost);
    }

    internal static PortMappingStatus ReadStatus(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a mapping");
        return new PortMappingStatus(
            Mapping(fields), Counter(fields, "accepted"), Counter(fields, "active"), Counter(fields, "failed"),
            Counter(fields, "bytesToGuest"), Counter(fields, "bytesToHost"));
    }

    internal static void WriteUnmapResult(ref MessagePackWriter writer, UnmapResult result)
    {
        writer.WriteMapHeader(2);
        writer.Write("active");
        writer.Write(result.Active);
        writer.Write("reset");
        writer.Write(result.Reset);
    }

    internal static UnmapResult ReadUnmapResult(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "an unmap result");
        return new UnmapResult(Counter(fields, "active"), Counter(fields, "reset"));
    }

    internal static void WriteHello(ref MessagePackWriter writer, RelayHello hello)
    {
        writer.WriteMapHeader(6);
        writer.Write("name");
        writer.Write(hello.Name);
        writer.Write("version");
        writer.Write(hello.Version);
        writer.Write("protocol");
        writer.Write(hello.Protocol);
        writer.Write("pid");
        writer.Write(hello.ProcessId);
        writer.Write("target");
        writer.Write(hello.Target);
        writer.Write("capabilities");
        writer.WriteArrayHeader(hello.Capabilities.Count);
        foreach (string capability in hello.Capabilities)
            writer.Write(capability);
    }

    internal static RelayHello ReadHello(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "the answer to hello");
        return new RelayHello(
            fields.RequiredText("name"),
            fields.RequiredText("version"),
            (int)fields.RequiredInteger("protocol", 0, int.MaxValue),
            (int)fields.RequiredInteger("pid", 0, int.MaxValue),
            fields.RequiredText("target"),
            fields.Texts("capabilities"));
    }

    internal static void WriteError(ref MessagePackWriter writer, RelayError error)
    {
        writer.WriteMapHeader(error.Index is null ? 3 : 4);
        writer.Write("code");
        writer.Write(error.Code);
        writer.Write("name");
        writer.Write(error.Name);
        writer.Write("message");
        writer.Write(error.Message);
        if (error.Index is { } index)
        {
            writer.Write("index");
            writer.Write(index);
        }
    }

    /// <summary>Reads an error. A code is taken as an unsigned number too: languages write an HRESULT either way.</summary>
    internal static RelayError ReadError(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "an error");
        return new RelayError(
            unchecked((int)fields.RequiredInteger("code", int.MinValue, uint.MaxValue)),
            fields.RequiredText("name"),
            fields.RequiredText("message"),
            (int?)fields.Integer("index", 0, int.MaxValue));
    }

    private static void WriteMappingKeys(ref MessagePackWriter writer, PortMapping mapping)
    {
        WriteIdentity(ref writer, mapping.Key);
        writer.Write("guestPort");
        writer.Write(mapping.GuestPort);
    }

    private static void WriteIdentity(ref MessagePackWriter writer, PortMappingKey key)
    {
        writer.Write("protocol");
        writer.Write(PortMappingKey.Word(key.Protocol));
        writer.Write("family");
        writer.Write(key.Family);
        writer.Write("address");
        writer.Write(key.Address.ToString());
        writer.Write("hostPort");
        writer.Write(key.HostPort);
    }

    private static PortMapping Mapping(MapFields fields)
    {
        (MapProtocol protocol, IPAddress address) = Identity(fields);
        int hostPort = (int)(fields.Integer("hostPort", 0, 65535) ?? 0);
        return new PortMapping(address, hostPort, (int)fields.RequiredInteger("guestPort", 1, 65535), protocol);
    }

    private static (MapProtocol Protocol, IPAddress Address) Identity(MapFields fields)
    {
        MapProtocol protocol = (fields.Text("protocol") ?? "tcp") switch
        {
            "tcp" => MapProtocol.Tcp,
            "udp" => throw new RelayException(RelayErrorCode.NotSupported, "protocol: udp is not supported yet, only tcp is"),
            var other => throw MapFields.Invalid("protocol", $"'{other}' is neither tcp nor udp"),
        };
        long family = fields.Integer("family", long.MinValue, long.MaxValue) ?? 4;
        if (family is not (4 or 6))
            throw MapFields.Invalid("family", $"{family} is neither 4 nor 6");
        if (fields.Text("address") is not { } text)
            return (protocol, family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        if (!AddressText.TryParse(text, out IPAddress? address, out string? error))
            throw MapFields.Invalid("address", $"'{text}' {error}");
        return family == (address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 4)
            ? (protocol, address)
            : throw MapFields.Invalid("address", $"{text} is not an IPv{family} address, and family is {family}");
    }

    private static long Counter(MapFields fields, string key) => fields.RequiredInteger(key, 0, long.MaxValue);
}
