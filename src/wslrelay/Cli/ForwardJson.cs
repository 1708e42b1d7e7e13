using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward --json</c>: a line of JSON for each mapping, and for each event after that. A reader that does not read loses events. Loop thread only.</summary>
internal sealed class ForwardJson
{
    // How many bytes of events can be written before a mapping's line.
    private const int MaxEventBytes = 16 * 1024;

    private readonly LoopHost _host;
    private readonly RelayEvents _events;

    internal ForwardJson(LoopHost host, PortTable table, PortMapping[] mapped)
    {
        (_host, _events) = (host, table.Events);
        foreach (PortMapping mapping in mapped)
            _host.Print(JsonText.Of((ref writer, value) => WriteListening(ref writer, value, table.Target.Target), mapping));

        _host.Output.Refill = WriteEvents;
        _events.Subscribe(EventFormat.Names, _host.Output.Flush);
    }

    private static void WriteListening(ref MessagePackWriter writer, PortMapping mapping, RelayTarget target)
    {
        writer.WriteMapHeader(3 + WireFormat.MappingKeyCount(mapping));
        writer.WriteField("event", "listening");
        writer.WriteField("at", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        WireFormat.WriteMappingKeys(ref writer, mapping);
        writer.WriteField("target", $"{target}");
    }

    private void WriteEvents()
    {
        _events.BeginPiece();
        while (_host.Output.Backlog < MaxEventBytes && _events.TryTake(out RelayEvent? item))
            _host.AddLine(JsonText.Of(EventFormat.Write, item!));
    }
}
