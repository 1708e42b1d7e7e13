using MessagePack;

namespace RelayProtocol.Rpc;

/// <content>The params of requests, each as the array that <see cref="RpcEnvelope.Params"/> holds.</content>
internal static partial class WireFormat
{
    private delegate T ItemReader<T>(ref MessagePackReader reader);

    /// <summary>Reads the params of <c>map</c>, one mapping or more.</summary>
    /// <exception cref="RelayException">InvalidParams or NotSupported, with the index of the failing item.</exception>
    internal static IReadOnlyList<PortMapping> ReadMapParams(ReadOnlyMemory<byte> parameters) => ReadItems(parameters, ReadMapping);

    internal static void WriteUnmapItem(ref MessagePackWriter writer, UnmapItem item)
    {
        writer.WriteMapHeader(item.Drain is null ? 4 : 5);
        WriteIdentity(ref writer, item.Key);
        if (item.Drain is { } drain)
        {
            writer.Write("drainMs");
            writer.Write((int)Math.Ceiling(drain.TotalMilliseconds));
        }
    }

    /// <summary>Reads the params of <c>unmap</c>, one item or more.</summary>
    /// <exception cref="RelayException">InvalidParams or NotSupported, with the index of the failing item.</exception>
    internal static IReadOnlyList<UnmapItem> ReadUnmapParams(ReadOnlyMemory<byte> parameters) => ReadItems(parameters, ReadUnmapItem);

    /// <summary>Reads the params of <c>hello</c>: none, or one map that may ask for a protocol version.</summary>
    /// <exception cref="RelayException">InvalidParams, or NotSupported for a version that is not spoken here.</exception>
    internal static void CheckHelloParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0 || reader.IsNil)
            return;
        long version = MapFields.Read(ref reader, "params").Integer("protocol", 0, long.MaxValue) ?? ProtocolVersion.Current;
        if (version != ProtocolVersion.Current)
        {
            throw new RelayException(
                RelayErrorCode.NotSupported, $"protocol: version {version} is not spoken here, only {ProtocolVersion.Current} is");
        }
    }

    private static UnmapItem ReadUnmapItem(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a mapping");
        (MapProtocol protocol, System.Net.IPAddress address) = Identity(fields);
        var key = new PortMappingKey(address, (int)fields.RequiredInteger("hostPort", 0, 65535), protocol);
        return new UnmapItem(
            key, fields.Integer("drainMs", 0, MaxDrainMilliseconds) is { } drain ? TimeSpan.FromMilliseconds(drain) : null);
    }

    private static T[] ReadItems<T>(ReadOnlyMemory<byte> parameters, ItemReader<T> readItem)
    {
        var reader = new MessagePackReader(parameters);
        int count = reader.ReadArrayHeader();
        if (count == 0)
            throw MapFields.Invalid("params", "at least one mapping is needed");
        var items = new T[count];
        for (int i = 0; i < count; i++)
        {
            try
            {
                items[i] = readItem(ref reader);
            }
            catch (RelayException failure)
            {
                throw new RelayException(failure.Error with { Index = i });
            }
        }
        return items;
    }
}
