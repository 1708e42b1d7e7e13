using System.Buffers;
using MessagePack;
using RelayProtocol.Rpc;

namespace RelayProtocol;

/// <summary>Encodes whole requests; one that is larger than a relay accepts is an error. Stateless.</summary>
internal static class RequestEncoder
{
    internal static byte[] Hello(uint id) => Request(id, "hello", ["protocol"], "keys", (ref writer, key) =>
    {
        writer.WriteMapHeader(1);
        writer.WriteField(key, WireFormat.ProtocolVersion);
    });

    internal static byte[] List(uint id) => Request<string>(id, "list", [], "", (ref _, _) => { });

    internal static byte[] Map(uint id, IReadOnlyList<PortMapping> mappings) =>
        Request(id, "map", NotEmpty(mappings, nameof(mappings)), nameof(mappings), WireFormat.WriteMapping);

    internal static byte[] Unmap(uint id, IReadOnlyList<PortMappingKey> keys, TimeSpan? drain) => Request(
        id, "unmap", NotEmpty(keys, nameof(keys)), nameof(keys),
        (ref writer, key) => WireFormat.WriteUnmapItem(ref writer, new UnmapItem(key, drain)));

    private static IReadOnlyList<T> NotEmpty<T>(IReadOnlyList<T> items, string name) =>
        items.Count > 0 ? items : throw new ArgumentException("at least one mapping is needed", name);

    private static byte[] Request<T>(uint id, string method, IReadOnlyList<T> items, string name, WireFormat.Writer<T> writeItem)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        RpcWriter.BeginRequest(ref writer, id, method, items.Count);
        int fitting = 0;
        for (int i = 0; i < items.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(items[i], name);
            writeItem(ref writer, items[i]);
            writer.Flush();
            fitting += buffer.WrittenCount <= RelayClient.MaxRequestSize ? 1 : 0;
        }
        writer.Flush();
        return buffer.WrittenCount <= RelayClient.MaxRequestSize
            ? buffer.WrittenSpan.ToArray()
            : throw new ArgumentException(
                $"{items.Count} mappings make a request of {buffer.WrittenCount} bytes, and a relay takes {RelayClient.MaxRequestSize}: "
                + $"the first {fitting} would fit, so ask in several calls",
                name);
    }
}
