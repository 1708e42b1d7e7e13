using System.Net.Sockets;
using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>A listening socket of the guest, as its agent reports it. Immutable; any thread.</summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port, 1..65535.</param>
/// <param name="IsVersion6Only">Of an IPv6 one: it takes no IPv4 connections.</param>
/// <param name="Program">The program that listens; null if the agent does not know.</param>
/// <param name="Protocol">With udp it receives datagrams.</param>
internal sealed record GuestListener(IPAddress Address, int Port, bool IsVersion6Only = false, string? Program = null, MapProtocol Protocol = MapProtocol.Tcp);

/// <summary>What an agent sends to a relay that watches its guest's listeners. Stateless; any thread. Source: the protocol document, section 8.</summary>
internal static class ListenerReport
{
    internal const int MaxListeners = 1000;

    /// <summary>The largest report that a relay takes, in bytes.</summary>
    internal const int MaxSize = 256 * 1024;

    internal static void WritePreamble(ref MessagePackWriter writer, bool udp) =>
        writer.WriteMap(new("v", GuestPreamble.Version), new("watch", "listeners"), new Field("udp", true).If(udp));

    /// <summary>Writes the whole set, of which those beyond <see cref="MaxListeners"/> are left out.</summary>
    internal static void Write(ref MessagePackWriter writer, IReadOnlyList<GuestListener> listeners) => writer.WriteMap(
        Field.Array("listeners", [.. listeners.Take(MaxListeners)], WriteListener),
        new Field("more", true).If(listeners.Count > MaxListeners));

    private static void WriteListener(ref MessagePackWriter writer, GuestListener listener) => writer.WriteMap(
        new("protocol", PortMappingKey.Word(listener.Protocol)),
        new("family", listener.Address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 4),
        new("address", listener.Address.ToString()),
        new("port", listener.Port),
        new Field("v6only", true).If(listener.IsVersion6Only),
        new Field("program", listener.Program).If(listener.Program is not null));

    /// <summary>Reads at most <see cref="MaxListeners"/>, without those of other protocols or with an invalid address.</summary>
    /// <exception cref="RelayException">InvalidParams: it is no report.</exception>
    internal static List<GuestListener> Read(ref MessagePackReader reader) =>
        [.. MapFields.Read(ref reader, "the agent's report").Array("listeners", ReadListener).Take(MaxListeners).OfType<GuestListener>()];

    private static GuestListener? ReadListener(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "a listener");
        int port = (int)fields.RequiredInteger("port", 1, 65535);
        string address = fields.RequiredText("address");
        bool isVersion6Only = fields.Boolean("v6only");
        string? program = fields.Text("program");
        MapProtocol? protocol = fields.RequiredText("protocol") switch { "tcp" => MapProtocol.Tcp, "udp" => MapProtocol.Udp, _ => null };
        return protocol is not null && AddressText.TryParse(address, out IPAddress? parsed, out _)
            ? new GuestListener(parsed, port, isVersion6Only, program, protocol.Value)
            : null;
    }
}
