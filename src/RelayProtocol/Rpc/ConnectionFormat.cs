using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>Writes and reads what <c>connections</c> is asked and answers, as <see cref="WireFormat"/> does the other values. Stateless; any thread.</summary>
internal static class ConnectionFormat
{
    internal const int DefaultLimit = 1000;
    internal const int MaxLimit = 100_000;

    /// <summary>The longest item, in bytes: its keys, and each value as long as it can be.</summary>
    internal const int MaxItemSize = 270;

    // By RelayConnectionState.
    private static readonly string[] States = ["", "connecting", "open", "clientEnded", "serverEnded", "flow"];

    internal static void WriteLimit(ref MessagePackWriter writer, int limit) => writer.WriteMap(new Field("limit", limit));

    /// <summary>Reads the params: the limit, the mappings named (none means all), and the index of the first.</summary>
    internal static (int Limit, PortMappingKey[] Keys, int First) ReadParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        int count = reader.ReadArrayHeader();
        MessagePackReader first = reader;
        if (count == 0 || MapFields.Read(ref first, "a mapping") is not { } fields || fields.Has("hostPort") || !fields.Has("limit"))
            return (DefaultLimit, WireFormat.ReadKeys(ref reader, count), 0);
        int limit = (int)fields.RequiredInteger("limit", 1, MaxLimit);
        return (limit, WireFormat.ReadKeys(ref first, count - 1, first: 1), 1);
    }

    internal static void Write(ref MessagePackWriter writer, RelayConnection item) => writer.WriteMapWith(
        WireFormat.IdentityFields(item.Key),
        new("guestPort", item.GuestPort),
        new("client", item.Client?.ToString()),
        new("since", item.Since.ToUnixTimeMilliseconds()),
        new("state", States[(int)item.State]),
        new("bytesToGuest", item.BytesToGuest),
        new("bytesToHost", item.BytesToHost));

    internal static RelayConnection Read(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a connection");
        PortMapping mapping = WireFormat.Mapping(fields);
        return new RelayConnection(
            mapping.Key, mapping.GuestPort, EventFormat.Client(fields), fields.Time("since"),
            (RelayConnectionState)Math.Max(0, Array.IndexOf(States, fields.RequiredText("state"))),
            fields.Integer("bytesToGuest", 0, long.MaxValue), fields.Integer("bytesToHost", 0, long.MaxValue));
    }
}
