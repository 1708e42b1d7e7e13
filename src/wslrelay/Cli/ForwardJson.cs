using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward --json</c>: a line of JSON for each mapping, and for each event after that. A reader that does not read loses events. Loop thread only.</summary>
internal static class ForwardJson
{
    internal static void Start(LoopHost host, PortTable table, PortMapping[] mapped)
    {
        foreach (PortMapping mapping in mapped)
            host.Print(JsonText.Of((ref writer, value) => WriteListening(ref writer, value, table.Target.Target), mapping));

        host.Output.FillWith(table.Events, item => host.AddLine(JsonText.Of(EventFormat.Write, item)));
        table.Events.Subscribe(EventFormat.Names, host.Output.Flush);
    }

    private static void WriteListening(ref MessagePackWriter writer, PortMapping mapping, RelayTarget target) => writer.WriteMap(
    [
        new("event", "listening"),
        new("at", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()),
        .. WireFormat.MappingFields(mapping),
        new("target", $"{target}"),
    ]);
}
