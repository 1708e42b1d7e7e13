using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Where the connections of a mapping go: what a <see cref="HostSetUp"/> needs of it. For the thread of the loop that listens; other loops may read where it leads.</summary>
internal abstract class PortRoute(PortTable table, PortMapping mapping)
{
    private IPAddress? _ownAddress;
    private PortMappingKey[]? _ownKeys;
    private byte[]? _preamble;

    public PortTable Table { get; } = table;

    public IoLoop Loop => Table.Loop;

    /// <summary>The mapping; of one in force with the port that is really bound.</summary>
    public PortMapping Mapping { get; private set; } = mapping;

    public IoEndpoint Target => Table.Target.For(Mapping);

    /// <summary>The first bytes to an agent on each connection; pinned.</summary>
    public virtual byte[] Preamble => _preamble ??= Table.Preamble.For(Mapping);

    /// <summary>From now on connections go where this mapping says.</summary>
    protected void Retarget(PortMapping mapping)
    {
        Mapping = mapping;

        // Never taken away: other loops read it, and only this one makes it.
        _preamble = _preamble is null ? null : Table.Preamble.For(mapping);
        _ownAddress = null;
    }

    /// <summary>Whether another loop may have its next connection, for which all is then at hand that the first alone can make or ask.</summary>
    protected bool PrepareForOtherLoop()
    {
        if (Table.Preamble.HasAgent)
            _ = Preamble;

        for (int i = Table.Target.AddressCount(Mapping) - 1; i >= 0; i--)
        {
            if (IsOwnPort(Table.Target.For(Mapping, i)))
                return false;
        }

        return true;
    }

    /// <summary>A connection or flow could not be set up.</summary>
    public abstract void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error);

    /// <summary>Whether an address of a direct target is a port of this relay itself: a connection would go round until the handles run out.</summary>
    public bool IsOwnPort(in IoEndpoint endpoint)
    {
        if (Table.Target.Target.Kind != RelayTargetKind.Direct)
            return false;

        IPAddress address = endpoint.Address!;
        if (!ReferenceEquals(_ownAddress, address))
        {
            _ownAddress = address;
            _ownKeys =
            [
                new PortMappingKey(address, Mapping.GuestPort, Mapping.Protocol),
                new PortMappingKey(address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, Mapping.GuestPort, Mapping.Protocol),
            ];
        }

        return Table.Contains(_ownKeys![0]) || (IPAddress.IsLoopback(address) && Table.Contains(_ownKeys[1]));
    }
}
