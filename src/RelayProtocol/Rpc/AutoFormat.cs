using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>Which listeners are mapped, parsed.</summary>
internal sealed record AutoSelection(PortSet Ports, PortSet Exclude, bool Udp)
{
    internal bool Contains(GuestListener listener) =>
        Ports.Contains(listener.Port) && !Exclude.Contains(listener.Port) && (Udp || listener.Protocol == MapProtocol.Tcp);
}

/// <summary>Writes and reads params and result of <c>auto</c>, as <see cref="WireFormat"/> does the other values. Stateless; any thread.</summary>
internal static class AutoFormat
{
    internal static void WriteParams(ref MessagePackWriter writer, AutoMapOptions options) =>
        writer.WriteMap(new("ports", options.Ports), new("exclude", options.Exclude), new("udp", options.Udp));

    /// <summary>Reads the params; null if they end the automatic mappings.</summary>
    internal static AutoSelection? ReadParams(ReadOnlyMemory<byte> parameters)
    {
        var reader = new MessagePackReader(parameters);
        if (reader.ReadArrayHeader() == 0)
            return null;
        MapFields fields = MapFields.Read(ref reader, "params");
        var byDefault = new AutoMapOptions();
        return new AutoSelection(Ports(fields, "ports", byDefault.Ports), Ports(fields, "exclude", byDefault.Exclude), fields.Boolean("udp"));
    }

    private static PortSet Ports(MapFields fields, string key, string byDefault)
    {
        try
        {
            return PortSet.Parse(fields.Text(key) ?? byDefault);
        }
        catch (FormatException e)
        {
            throw MapFields.Invalid(key, e.Message);
        }
    }

    internal static void WriteResult(ref MessagePackWriter writer, AutoMapResult result) =>
        writer.WriteMap(Field.Array("mapped", result.Mapped, WireFormat.WriteMapping), Field.Array("failed", result.Failed, WriteFailure));

    internal static AutoMapResult ReadResult(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "the answer to auto");
        return new AutoMapResult(fields.Array("mapped", WireFormat.ReadMapping), fields.Array("failed", ReadFailure));
    }

    private static void WriteFailure(ref MessagePackWriter writer, AutoMapFailure failure) =>
        writer.WriteMap(Field.Of("mapping", failure.Mapping, WireFormat.WriteMapping), Field.Of("error", failure.Error, WireFormat.WriteError));

    private static AutoMapFailure ReadFailure(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a failure");
        return new AutoMapFailure(fields.RequiredObject("mapping", WireFormat.ReadMapping), fields.RequiredObject("error", WireFormat.ReadError));
    }
}
