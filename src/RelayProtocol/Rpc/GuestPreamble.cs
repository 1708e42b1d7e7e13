using MessagePack;

namespace RelayProtocol.Rpc;

/// <summary>
/// The first message of each connection from a relay to a guest agent, <c>{"v": 1, "protocol": "tcp", "family": 4, "port": 80}</c>, with
/// <c>"pass": true</c> over a Unix socket and <c>"ends": true</c> over any that hides resets. Immutable; any thread. Source: the protocol document, section 3.
/// </summary>
/// <param name="Family">The family of the loopback address to connect to, 4 or 6; with 0 127.0.0.1 first, and ::1 where that is refused.</param>
/// <param name="Port">The port to connect to, 1..65535.</param>
/// <param name="Pass">The relay takes the server's socket itself, and sends nothing until the answer.</param>
/// <param name="Ends">The relay takes the server's bytes in chunks, which mark the end of sending, if the answer is <c>{"ends": true}</c> in place of nil.</param>
/// <param name="Watch">The relay asks for the guest's listeners (section 8) in place of a server.</param>
/// <param name="Protocol">With udp what follows is datagrams, each after its length; of a watch, that ports where datagrams are received are reported too.</param>
/// <param name="Spare">How many unconnected sockets the relay would take along with the server's, to connect them to the next servers itself.</param>
/// <param name="Client">The client's address, for the agent's log; null where it is not given.</param>
internal readonly record struct GuestPreamble(
    int Family, int Port, bool Pass = false, bool Ends = false, bool Watch = false, MapProtocol Protocol = MapProtocol.Tcp, int Spare = 0, string? Client = null)
{
    internal const int MaxSize = 1024;

    internal const int Version = 1;

    internal void Write(ref MessagePackWriter writer) => writer.WriteMap(
        new("v", Version),
        new("protocol", PortMappingKey.Word(Protocol)),
        new("family", Family),
        new("port", Port),
        new Field("pass", true).If(Pass),
        new Field("ends", true).If(Ends),
        new Field("spare", Spare).If(Spare != 0),
        new Field("client", Client).If(Client is not null));

    /// <exception cref="RelayException">InvalidParams with a message that names the key, or NotSupported.</exception>
    internal static GuestPreamble Read(ref MessagePackReader reader)
    {
        MapFields fields = MapFields.Read(ref reader, "preamble");
        long version = fields.RequiredInteger("v", 0, long.MaxValue);
        if (version != Version)
            throw WireFormat.NotSupported($"v: {version} is not spoken here, only {Version} is");
        if (fields.Text("watch") is { } watch)
        {
            return watch == "listeners"
                ? new GuestPreamble(0, 0, Watch: true, Protocol: fields.Boolean("udp") ? MapProtocol.Udp : MapProtocol.Tcp)
                : throw WireFormat.NotSupported($"watch: '{watch}' is not known here, only listeners is");
        }

        MapProtocol protocol = WireFormat.CheckProtocol(fields.RequiredText("protocol"));
        return new GuestPreamble(
            WireFormat.CheckGuestFamily("family", fields.RequiredInteger("family", long.MinValue, long.MaxValue)),
            (int)fields.RequiredInteger("port", 1, 65535),
            fields.Boolean("pass"),
            fields.Boolean("ends"),
            Protocol: protocol,
            Spare: (int)(fields.Integer("spare", 0, int.MaxValue) ?? 0),
            Client: fields.Text("client"));
    }
}
