using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One mapping in force: its socket on the host, what its clients have open, its counters. No other mapping is touched by what happens here. Loop
/// thread only.
/// </summary>
internal abstract class MappedPort(PortTable table, PortMapping mapping)
{
    private IPAddress? _ownAddress;
    private PortMappingKey[]? _ownKeys;
    private Memory<byte> _preamble;

    public PortTable Table { get; } = table;

    public IoLoop Loop => Table.Loop;

    /// <summary>The mapping, with the port that is really bound.</summary>
    public PortMapping Mapping { get; } = mapping;

    public IoEndpoint Target => Table.Target.For(Mapping);

    /// <summary>What an agent is told first on each connection; pinned.</summary>
    public Memory<byte> Preamble => _preamble.IsEmpty ? _preamble = Table.Preamble.For(Mapping) : _preamble;

    /// <summary>Connections or flows that are open or being set up.</summary>
    public int ActiveCount { get; protected set; }

    public long AcceptedCount { get; protected set; }

    /// <summary>Those that the target refused or that could not be set up.</summary>
    public long FailedCount { get; protected set; }

    /// <summary>What <see cref="Close"/> itself has ended.</summary>
    public int ResetByClose { get; protected set; }

    public DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    /// <summary>Why a connection failed last; null while none has.</summary>
    public RelayFailure? LastError { get; private set; }

    public abstract PortMappingStatus Status { get; }

    /// <summary>Serves the clients, which have waited since it was opened.</summary>
    public abstract void Start();

    /// <summary>Takes back what was opened and never started; the port is free at once.</summary>
    public abstract void Discard();

    /// <summary>Closes the host's socket, then calls <paramref name="closed"/>: from then on the port is free.</summary>
    public abstract void Close(Action closed);

    /// <summary>
    /// After <see cref="Close"/>: waits at most so long for what is left to end by itself, then resets the rest. Calls back, when nothing is left, with
    /// the number of what was reset. Returns what resets it at once.
    /// </summary>
    public abstract Action Drain(int milliseconds, Action<int> drained);

    /// <summary>A connection or flow could not be set up.</summary>
    public void ConnectionFailed(IConnection connection, in IoEndpoint target, RelayError error)
    {
        Table.Log.ConnectionFailed(Mapping, target, error.Name, error.Message);
        LastError = new RelayFailure(error.Name, $"{target}: {error.Message}", DateTimeOffset.UtcNow);
        if (Table.Events.HasSubscriber)
            Table.Events.Raise(new ConnectionFailedEvent(Mapping, connection.ClientEndPoint, error with { Message = LastError.Message }) { At = LastError.At });
    }

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
