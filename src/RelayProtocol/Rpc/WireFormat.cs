using System.Net.Sockets;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// Writes and reads the values of the protocol, for the parent, the relay and the agent. Every key is written, in the shortest encoding; reading is strict
/// (see <see cref="MapFields"/>) and expects well-formed objects. Stateless; any thread.
/// </summary>
/// <remarks>
/// Source: the protocol document, section 1. Reading throws <see cref="RelayException"/>: InvalidParams with a message that names the
/// key, or NotSupported; of the params of a request with the index of the failing item.
/// </remarks>
internal static class WireFormat
{
    internal const int ProtocolVersion = 1;

    internal const int MaxDrainMilliseconds = 3_600_000;

    /// <summary>The longest that <see cref="WriteStatus"/> writes, in bytes, beside what a failure says: its keys, and each value as long as it can be.</summary>
    internal const int MaxStatusSize = 440;

    internal delegate T Reader<out T>(ref MessagePackReader reader);

    internal delegate void Writer<in T>(ref MessagePackWriter writer, T item);

    internal static void WriteMapping(ref MessagePackWriter writer, PortMapping mapping)
    {
        writer.WriteMapHeader(MappingKeyCount(mapping));
        WriteMappingKeys(ref writer, mapping);
    }

    /// <summary>The form of a request: keys with default values are left out, so that one request can hold many mappings.</summary>
    internal static void WriteMapItem(ref MessagePackWriter writer, PortMapping mapping)
    {
        writer.WriteMapHeader(5 + (mapping.GuestFamily == mapping.Family ? 0 : 1) + (mapping.Proxy == 0 ? 0 : 1) + (mapping.IdleTimeout is null ? 0 : 1));
        WriteIdentity(ref writer, mapping.Key);
        writer.WriteField("guestPort", mapping.GuestPort);
        if (mapping.GuestFamily != mapping.Family)
            writer.WriteField("guestFamily", mapping.GuestFamily);
        if (mapping.Proxy != 0)
            writer.WriteField("proxy", mapping.Proxy);
        if (mapping.IdleTimeout is { } idle)
            writer.WriteField("idleMs", (long)idle.TotalMilliseconds);
    }

    internal static PortMapping ReadMapping(ref MessagePackReader reader) => Mapping(MapFields.Read(ref reader, "a mapping"));

    internal static void WriteStatus(ref MessagePackWriter writer, PortMappingStatus status)
    {
        bool isUdp = status.Mapping.Protocol == MapProtocol.Udp;
        writer.WriteMapHeader(MappingKeyCount(status.Mapping) + (isUdp ? 11 : 8));
        WriteMappingKeys(ref writer, status.Mapping);
        writer.WriteField("accepted", status.Accepted);
        writer.WriteField("active", status.Active);
        writer.WriteField("failed", status.Failed);
        writer.WriteField("bytesToGuest", status.BytesToGuest);
        writer.WriteField("bytesToHost", status.BytesToHost);
        if (isUdp)
        {
            writer.WriteField("datagramsToGuest", status.DatagramsToGuest);
            writer.WriteField("datagramsToHost", status.DatagramsToHost);
            writer.WriteField("dropped", status.Dropped);
        }
        writer.WriteField("since", status.Since.ToUnixTimeMilliseconds());
        writer.WriteField("lastError", status.LastError, WriteFailure);
        writer.WriteField("auto", status.Auto);
    }

    /// <summary>The longest that the texts of a failure come to, in bytes.</summary>
    internal static int MaxTextSize(RelayFailure? failure) => failure is null ? 0 : 10 + (3 * (failure.Name.Length + failure.Message.Length));

    internal static PortMappingStatus ReadStatus(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a mapping");
        return new PortMappingStatus(
            Mapping(fields), Counter(fields, "accepted"), Counter(fields, "active"), Counter(fields, "failed"),
            Counter(fields, "bytesToGuest"), Counter(fields, "bytesToHost"))
        {
            DatagramsToGuest = OptionalCounter(fields, "datagramsToGuest"),
            DatagramsToHost = OptionalCounter(fields, "datagramsToHost"),
            Dropped = OptionalCounter(fields, "dropped"),
            Since = fields.Time("since"),
            LastError = fields.Object("lastError", ReadFailure),
            Auto = fields.Boolean("auto"),
        };
    }

    internal static void WriteUnmapResult(ref MessagePackWriter writer, UnmapResult result)
    {
        writer.WriteMapHeader(2);
        writer.WriteField("active", result.Active);
        writer.WriteField("reset", result.Reset);
    }

    internal static UnmapResult ReadUnmapResult(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "an unmap result");
        return new UnmapResult(Counter(fields, "active"), Counter(fields, "reset"));
    }

    internal static void WriteHello(ref MessagePackWriter writer, RelayHello hello)
    {
        writer.WriteMapHeader(6);
        writer.WriteField("name", hello.Name);
        writer.WriteField("version", hello.Version);
        writer.WriteField("protocol", hello.Protocol);
        writer.WriteField("pid", hello.ProcessId);
        writer.WriteField("target", hello.Target);
        writer.WriteTexts("capabilities", hello.Capabilities);
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
            fields.Texts("capabilities") ?? []);
    }

    internal static void WriteError(ref MessagePackWriter writer, RelayError error)
    {
        writer.WriteMapHeader(error.Index is null ? 3 : 4);
        writer.WriteField("code", error.Code);
        writer.WriteField("name", error.Name);
        writer.WriteField("message", error.Message);
        if (error.Index is { } index)
            writer.WriteField("index", index);
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

    internal static IReadOnlyList<PortMapping> ReadMapParams(ReadOnlyMemory<byte> parameters) => ReadItems(parameters, ReadMapping);

    internal static void WriteUnmapItem(ref MessagePackWriter writer, UnmapItem item)
    {
        writer.WriteMapHeader(item.Drain is null ? 4 : 5);
        WriteIdentity(ref writer, item.Key);
        if (item.Drain is { } drain)
            writer.WriteField("drainMs", (long)Math.Ceiling(drain.TotalMilliseconds));
    }

    internal static IReadOnlyList<UnmapItem> ReadUnmapParams(ReadOnlyMemory<byte> parameters) => ReadItems(parameters, ReadUnmapItem);

    internal static void WriteHelloParams(ref MessagePackWriter writer, int version)
    {
        writer.WriteMapHeader(1);
        writer.WriteField("protocol", version);
    }

    /// <summary>Reads the params of <c>hello</c>: none, or one map that may ask for a protocol version.</summary>
    internal static void CheckHelloParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0 || reader.IsNil)
            return;
        long version = MapFields.Read(ref reader, "params").Integer("protocol", 0, long.MaxValue) ?? ProtocolVersion;
        if (version != ProtocolVersion)
            throw NotSupported($"protocol: version {version} is not spoken here, only {ProtocolVersion} is");
    }

    internal static MapProtocol CheckProtocol(string text) => text switch
    {
        "tcp" => MapProtocol.Tcp,
        "udp" => MapProtocol.Udp,
        _ => throw MapFields.Invalid("protocol", $"'{text}' is neither tcp nor udp"),
    };

    internal static int CheckFamily(long family) => family is 4 or 6 ? (int)family : throw MapFields.Invalid("family", $"{family} is neither 4 nor 6");

    /// <summary>The family of a connection in the guest, of which 0 stands for either.</summary>
    internal static int CheckGuestFamily(string key, long family) =>
        family is 0 or 4 or 6 ? (int)family : throw MapFields.Invalid(key, $"{family} is none of 0, 4 and 6");

    internal static RelayException NotSupported(string message) => new(RelayErrorCode.NotSupported, message);

    private static UnmapItem ReadUnmapItem(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a mapping");
        (MapProtocol protocol, IPAddress address) = Identity(fields);
        var key = new PortMappingKey(address, (int)fields.RequiredInteger("hostPort", 0, 65535), protocol);
        return new UnmapItem(key, fields.Integer("drainMs", 0, MaxDrainMilliseconds) is { } drain ? TimeSpan.FromMilliseconds(drain) : null);
    }

    /// <summary>Reads the keys of mappings; <paramref name="first"/> is the index of the first one in params.</summary>
    internal static PortMappingKey[] ReadKeys(ref MessagePackReader reader, int count, int first = 0) => ReadItems(ref reader, count, ReadKey, first);

    private static PortMappingKey ReadKey(ref MessagePackReader reader) => ReadUnmapItem(ref reader).Key;

    private static T[] ReadItems<T>(ReadOnlyMemory<byte> parameters, Reader<T> readItem)
    {
        var reader = new MessagePackReader(parameters);
        int count = reader.ReadArrayHeader();
        return count > 0 ? ReadItems(ref reader, count, readItem) : throw MapFields.Invalid("params", "at least one mapping is needed");
    }

    private static T[] ReadItems<T>(ref MessagePackReader reader, int count, Reader<T> readItem, int first = 0)
    {
        var items = new T[count];
        for (int i = 0; i < items.Length; i++)
        {
            try
            {
                items[i] = readItem(ref reader);
            }
            catch (RelayException failure)
            {
                throw new RelayException(failure.Error with { Index = first + i });
            }
        }
        return items;
    }

    private static void WriteFailure(ref MessagePackWriter writer, RelayFailure failure)
    {
        writer.WriteMapHeader(3);
        writer.WriteField("name", failure.Name);
        writer.WriteField("message", failure.Message);
        writer.WriteField("at", failure.At.ToUnixTimeMilliseconds());
    }

    private static RelayFailure ReadFailure(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "lastError");
        return new RelayFailure(fields.RequiredText("name"), fields.RequiredText("message"), fields.Time("at"));
    }

    internal static int MappingKeyCount(PortMapping mapping) => (mapping.IdleTimeout is null ? 6 : 7) + (mapping.Protocol == MapProtocol.Tcp ? 1 : 0);

    internal static void WriteMappingKeys(ref MessagePackWriter writer, PortMapping mapping)
    {
        WriteIdentity(ref writer, mapping.Key);
        writer.WriteField("guestPort", mapping.GuestPort);
        writer.WriteField("guestFamily", mapping.GuestFamily);
        if (mapping.Protocol == MapProtocol.Tcp)
            writer.WriteField("proxy", mapping.Proxy);
        if (mapping.IdleTimeout is { } idle)
            writer.WriteField("idleMs", (long)idle.TotalMilliseconds);
    }

    internal static void WriteIdentity(ref MessagePackWriter writer, PortMappingKey key)
    {
        writer.WriteField("protocol", PortMappingKey.Word(key.Protocol));
        writer.WriteField("family", key.Family);
        writer.WriteField("address", key.Address.ToString());
        writer.WriteField("hostPort", key.HostPort);
    }

    internal static PortMapping Mapping(MapFields fields)
    {
        (MapProtocol protocol, IPAddress address) = Identity(fields);
        int hostPort = (int)(fields.Integer("hostPort", 0, 65535) ?? 0);
        long? idle = fields.Integer("idleMs", PortMapping.MinIdleMilliseconds, PortMapping.MaxIdleMilliseconds);
        if (idle is not null && protocol != MapProtocol.Udp)
            throw MapFields.Invalid("idleMs", "only a udp mapping has flows that end when they are idle");
        long? proxy = fields.Integer("proxy", long.MinValue, long.MaxValue);
        if (proxy is not (null or 0 or 2))
            throw MapFields.Invalid("proxy", $"{proxy} is neither 0 nor 2");
        if (proxy is not null && protocol != MapProtocol.Tcp)
            throw MapFields.Invalid("proxy", "only a tcp mapping has a header");
        var mapping = new PortMapping(address, hostPort, (int)fields.RequiredInteger("guestPort", 1, 65535), protocol);
        return mapping with
        {
            GuestFamily = CheckGuestFamily("guestFamily", fields.Integer("guestFamily", long.MinValue, long.MaxValue) ?? mapping.Family),
            Proxy = (int)(proxy ?? 0),
            IdleTimeout = idle is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        };
    }

    private static (MapProtocol Protocol, IPAddress Address) Identity(MapFields fields)
    {
        MapProtocol protocol = CheckProtocol(fields.Text("protocol") ?? "tcp");
        int family = CheckFamily(fields.Integer("family", long.MinValue, long.MaxValue) ?? 4);
        if (fields.Text("address") is not { } text)
            return (protocol, family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        if (!AddressText.TryParse(text, out IPAddress? address, out string? error))
            throw MapFields.Invalid("address", $"'{text}' {error}");
        return family == (address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 4)
            ? (protocol, address)
            : throw MapFields.Invalid("address", $"{text} is not an IPv{family} address, and family is {family}");
    }

    private static long OptionalCounter(MapFields fields, string key) => fields.Integer(key, 0, long.MaxValue) ?? 0;

    private static long Counter(MapFields fields, string key) => fields.RequiredInteger(key, 0, long.MaxValue);
}

/// <summary>One item of an <c>unmap</c> request.</summary>
/// <param name="Key">The mapping to remove.</param>
/// <param name="Drain">How long to wait for its connections before resetting them; null: they live on.</param>
internal readonly record struct UnmapItem(PortMappingKey Key, TimeSpan? Drain);
