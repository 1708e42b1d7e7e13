using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>Writes and reads the events of <c>subscribe</c>, as <see cref="WireFormat"/> does the other values. Stateless; any thread.</summary>
internal static class EventFormat
{
    /// <summary>The names of all events that can be asked for; <c>lost</c> comes unasked.</summary>
    internal static readonly string[] Names = ["connectionFailed", "mapped", "unmapped", "mapFailed", "agent"];

    private const string Lost = "lost";

    internal static string NameOf(RelayEvent item) => item switch
    {
        ConnectionFailedEvent => "connectionFailed",
        MappedEvent => "mapped",
        UnmappedEvent => "unmapped",
        MapFailedEvent => "mapFailed",
        AgentEvent => "agent",
        _ => Lost,
    };

    internal static IReadOnlyList<string> ReadSubscribeParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0 || reader.IsNil || MapFields.Read(ref reader, "params").Texts("events") is not { } names)
            return Names;
        return names.FirstOrDefault(name => name != Lost && !Names.Contains(name)) is { } unknown
            ? throw MapFields.Invalid("events", $"'{unknown}' is no event; {string.Join(", ", Names)} are known")
            : names;
    }

    internal static void WriteSubscription(ref MessagePackWriter writer, IReadOnlyList<string> names) => writer.WriteMap(Field.Texts("events", names));

    internal static IReadOnlyList<string> ReadSubscription(ref MessagePackReader reader) =>
        MapFields.Read(ref reader, "the answer to subscribe").Texts("events") ?? [];

    internal static void Write(ref MessagePackWriter writer, RelayEvent item) =>
        writer.WriteMap([new("event", NameOf(item)), new("at", item.At.ToUnixTimeMilliseconds()), .. Fields(item)]);

    // What not all events have.
    private static Field[] Fields(RelayEvent item) => item switch
    {
        ConnectionFailedEvent failed =>
            [.. WireFormat.MappingFields(failed.Mapping), new("client", failed.Client?.ToString()), Field.Of("error", failed.Error, WireFormat.WriteError)],
        MappedEvent mapped =>
            [.. WireFormat.MappingFields(mapped.Mapping), new("auto", mapped.Auto), new Field("program", mapped.Program).If(mapped.Program is not null)],
        UnmappedEvent unmapped => [.. WireFormat.MappingFields(unmapped.Mapping), new("auto", unmapped.Auto)],
        MapFailedEvent failed => [.. WireFormat.MappingFields(failed.Mapping), Field.Of("error", failed.Error, WireFormat.WriteError)],
        AgentEvent agent => [new("state", agent.IsUp ? "up" : "down"), Field.Of("error", agent.Error, WireFormat.WriteError)],
        _ => [new("count", ((LostEvent)item).Count)],
    };

    /// <summary>Reads an event; null if it is one of a later version of the protocol.</summary>
    internal static RelayEvent? Read(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "an event");
        DateTimeOffset at = fields.Time("at");
        return fields.RequiredText("event") switch
        {
            "connectionFailed" => new ConnectionFailedEvent(WireFormat.Mapping(fields), Client(fields), fields.RequiredObject("error", WireFormat.ReadError)) { At = at },
            "mapped" => new MappedEvent(WireFormat.Mapping(fields), fields.Boolean("auto")) { At = at, Program = fields.Text("program") },
            "unmapped" => new UnmappedEvent(WireFormat.Mapping(fields), fields.Boolean("auto")) { At = at },
            "mapFailed" => new MapFailedEvent(WireFormat.Mapping(fields), fields.RequiredObject("error", WireFormat.ReadError)) { At = at },
            "agent" => new AgentEvent(fields.RequiredText("state") == "up", fields.Object("error", WireFormat.ReadError)) { At = at },
            Lost => new LostEvent(fields.RequiredInteger("count", 0, long.MaxValue)) { At = at },
            _ => null,
        };
    }

    internal static IPEndPoint? Client(MapFields fields) => fields.Text("client") is not { } text ? null
        : IPEndPoint.TryParse(text, out IPEndPoint? client) ? client
        : throw MapFields.Invalid("client", $"'{text}' is not an address and a port");
}
