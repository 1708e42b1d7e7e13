using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>Which listeners are mapped, parsed.</summary>
internal sealed record AutoSelection(PortSet Ports, PortSet Exclude, bool Udp)
{
    /// <exception cref="RelayException">InvalidParams that names the key.</exception>
    internal static AutoSelection Of(AutoMapOptions options) => new(Parse("ports", options.Ports), Parse("exclude", options.Exclude), options.Udp);

    internal bool Contains(GuestListener listener) =>
        Ports.Contains(listener.Port) && !Exclude.Contains(listener.Port) && (Udp || listener.Protocol == MapProtocol.Tcp);

    private static PortSet Parse(string key, string text)
    {
        try
        {
            return PortSet.Parse(text);
        }
        catch (FormatException e)
        {
            throw MapFields.Invalid(key, e.Message);
        }
    }
}

/// <summary>Writes and reads params and result of <c>auto</c>, as <see cref="WireFormat"/> does the other values. Stateless; any thread.</summary>
internal static class AutoFormat
{
    internal static void WriteParams(ref MessagePackWriter writer, AutoMapOptions options)
    {
        writer.WriteMapHeader(3);
        writer.WriteField("ports", options.Ports);
        writer.WriteField("exclude", options.Exclude);
        writer.WriteField("udp", options.Udp);
    }

    /// <summary>Reads the params; null if they end the automatic mappings.</summary>
    internal static AutoSelection? ReadParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0)
            return null;
        MapFields fields = MapFields.Read(ref reader, "params");
        var options = new AutoMapOptions();
        return AutoSelection.Of(options with
        {
            Ports = fields.Text("ports") ?? options.Ports,
            Exclude = fields.Text("exclude") ?? options.Exclude,
            Udp = fields.Boolean("udp"),
        });
    }

    internal static void WriteResult(ref MessagePackWriter writer, AutoMapResult result)
    {
        writer.WriteMapHeader(2);
        writer.WriteArray("mapped", result.Mapped, WireFormat.WriteMapping);
        writer.WriteArray("failed", result.Failed, WriteFailure);
    }

    internal static AutoMapResult ReadResult(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "the answer to auto");
        MessagePackReader mapped = fields.Required("mapped", MessagePackType.Array);
        MessagePackReader failed = fields.Required("failed", MessagePackType.Array);
        return new AutoMapResult(mapped.ReadArray(WireFormat.ReadMapping), failed.ReadArray(ReadFailure));
    }

    private static void WriteFailure(ref MessagePackWriter writer, AutoMapFailure failure)
    {
        writer.WriteMapHeader(2);
        writer.WriteField("mapping", failure.Mapping, WireFormat.WriteMapping);
        writer.WriteField("error", failure.Error, WireFormat.WriteError);
    }

    private static AutoMapFailure ReadFailure(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a failure");
        MessagePackReader mapping = fields.Required("mapping", MessagePackType.Map);
        MessagePackReader error = fields.Required("error", MessagePackType.Map);
        return new AutoMapFailure(WireFormat.ReadMapping(ref mapping), WireFormat.ReadError(ref error));
    }
}
