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

    /// <summary>The most bytes that <see cref="WriteStatus"/> writes, not counting a failure's message: its keys, and each value at its longest.</summary>
    internal const int MaxStatusSize = 440;

    internal delegate T Reader<out T>(ref MessagePackReader reader);

    internal delegate void Writer<in T>(ref MessagePackWriter writer, T item);

    internal static void WriteMapping(ref MessagePackWriter writer, PortMapping mapping) => writer.WriteMapWith(MappingFields(mapping));

    /// <summary>The form of a request: keys with default values are left out, so that one request can hold many mappings.</summary>
    internal static void WriteMapItem(ref MessagePackWriter writer, PortMapping mapping) => writer.WriteMapWith(
        IdentityFields(mapping.Key),
        new("guestPort", mapping.GuestPort),
        new Field("guestFamily", mapping.GuestFamily).If(mapping.GuestFamily != mapping.Family),
        new Field("proxy", mapping.Proxy).If(mapping.Proxy != 0),
        IdleField(mapping));

    internal static PortMapping ReadMapping(ref MessagePackReader reader) => Mapping(MapFields.Read(ref reader, "a mapping"));

    internal static void WriteStatus(ref MessagePackWriter writer, PortMappingStatus status)
    {
        bool isUdp = status.Mapping.Protocol == MapProtocol.Udp;
        writer.WriteMapWith(
            MappingFields(status.Mapping),
            new("accepted", status.Accepted),
            new("active", status.Active),
            new("failed", status.Failed),
            new("bytesToGuest", status.BytesToGuest),
            new("bytesToHost", status.BytesToHost),
            new Field("datagramsToGuest", status.DatagramsToGuest).If(isUdp),
            new Field("datagramsToHost", status.DatagramsToHost).If(isUdp),
            new Field("dropped", status.Dropped).If(isUdp),
            new("since", status.Since.ToUnixTimeMilliseconds()),
            Field.Of("lastError", status.LastError, WriteFailure),
            new("auto", status.Auto));
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

    internal static void WriteUnmapResult(ref MessagePackWriter writer, UnmapResult result) =>
        writer.WriteMap(new("active", result.Active), new("reset", result.Reset));

    internal static UnmapResult ReadUnmapResult(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "an unmap result");
        return new UnmapResult(Counter(fields, "active"), Counter(fields, "reset"));
    }

    internal static void WriteHello(ref MessagePackWriter writer, RelayHello hello) => writer.WriteMap(
        new("name", hello.Name),
        new("version", hello.Version),
        new("protocol", hello.Protocol),
        new("pid", hello.ProcessId),
        new("target", hello.Target),
        Field.Texts("capabilities", hello.Capabilities));

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

    internal static void WriteError(ref MessagePackWriter writer, RelayError error) => writer.WriteMap(
        new("code", error.Code),
        new("name", error.Name),
        new("message", error.Message),
        new Field("index", error.Index).If(error.Index is not null));

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

    internal static void WriteUnmapItem(ref MessagePackWriter writer, UnmapItem item) => writer.WriteMapWith(
        IdentityFields(item.Key), new Field("drainMs", (long)Math.Ceiling(item.Drain?.TotalMilliseconds ?? 0)).If(item.Drain is not null));

    internal static IReadOnlyList<UnmapItem> ReadUnmapParams(ReadOnlyMemory<byte> parameters) => ReadItems(parameters, ReadUnmapItem);

    internal static void WriteHelloParams(ref MessagePackWriter writer, int version) => writer.WriteMap(new Field("protocol", version));

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
    internal static PortMappingKey[] ReadKeys(ref MessagePackReader reader, int count, int first = 0) => ReadItems(ref reader, count, static (ref item) => ReadUnmapItem(ref item).Key, first);

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

    private static void WriteFailure(ref MessagePackWriter writer, RelayFailure failure) => writer.WriteMap(
        new("name", failure.Name), new("message", failure.Message), new("at", failure.At.ToUnixTimeMilliseconds()));

    private static RelayFailure ReadFailure(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "lastError");
        return new RelayFailure(fields.RequiredText("name"), fields.RequiredText("message"), fields.Time("at"));
    }

    internal static FieldBlock MappingFields(PortMapping mapping)
    {
        FieldBlock fields = IdentityFields(mapping.Key);
        fields[4] = new("guestPort", mapping.GuestPort);
        fields[5] = new("guestFamily", mapping.GuestFamily);
        fields[6] = new Field("proxy", mapping.Proxy).If(mapping.Protocol == MapProtocol.Tcp);
        fields[7] = IdleField(mapping);
        return fields;
    }

    internal static FieldBlock IdentityFields(PortMappingKey key)
    {
        FieldBlock fields = default;
        fields[0] = new("protocol", PortMappingKey.Word(key.Protocol));
        fields[1] = new("family", key.Family);
        fields[2] = new("address", key.Address.ToString());
        fields[3] = new("hostPort", key.HostPort);
        return fields;
    }

    private static Field IdleField(PortMapping mapping) =>
        new Field("idleMs", (long)(mapping.IdleTimeout?.TotalMilliseconds ?? 0)).If(mapping.IdleTimeout is not null);

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
