using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One mapping in force: its listening socket, its connections, its counters. No other listener is touched by what happens here. It
/// outlives its mapping for as long as connections do. Loop thread only.
/// </summary>
internal sealed class PortListener : IAcceptOwner, IRelayOwner
{
    private readonly IoSocket _socket;
    private readonly IoOperation _accept;
    private IPAddress? _ownAddress;
    private PortMappingKey[]? _ownKeys;
    private Memory<byte> _preamble;
    private Relay? _first;
    private ByteCounter? _toTarget;
    private ByteCounter? _toClient;
    private Action? _closed;
    private Action? _emptied;

    private PortListener(PortTable table, PortMapping mapping, IoSocket socket)
    {
        Table = table;
        Mapping = mapping;
        _socket = socket;
        _accept = table.Loop.Port.Accept(socket, this);
    }

    public PortTable Table { get; }

    public IoLoop Loop => Table.Loop;

    /// <summary>The mapping, with the port that is really bound.</summary>
    public PortMapping Mapping { get; }

    public IoEndpoint Target => Table.Target.For(Mapping);

    /// <summary>What an agent is told first on each connection; pinned.</summary>
    public Memory<byte> Preamble => _preamble.IsEmpty ? _preamble = Table.Preamble.For(Mapping) : _preamble;

    /// <summary>Connections that are open or being set up.</summary>
    public int ActiveCount { get; private set; }

    public long AcceptedCount { get; private set; }

    /// <summary>Connections that the target refused or that could not be set up.</summary>
    public long FailedCount { get; private set; }

    public ByteCounter ToTarget => _toTarget ??= new ByteCounter();

    public ByteCounter ToClient => _toClient ??= new ByteCounter();

    public PortMappingStatus Status =>
        new(Mapping, AcceptedCount, ActiveCount, FailedCount, (long)(_toTarget?.Value ?? 0), (long)(_toClient?.Value ?? 0));

    /// <summary>Binds and listens. Connections wait in the backlog until <see cref="Start"/>.</summary>
    /// <exception cref="IoException">The system does not give the address and port.</exception>
    public static PortListener Open(PortTable table, PortMapping mapping)
    {
        IoSocket socket = table.Loop.Port.Listen(IoEndpoint.Tcp(mapping.Address, mapping.HostPort));
        return new PortListener(table, mapping.HostPort == 0 ? mapping.WithHostPort(socket.LocalPort) : mapping, socket);
    }

    public void Start() => Table.Loop.Start(_accept);

    /// <summary>Takes back what was opened and never started; the port is free at once.</summary>
    public void Discard() => _socket.Close(abort: false);

    /// <summary>Closes the listening socket, then calls <paramref name="closed"/>: from then on the port is free.</summary>
    public void Close(Action closed)
    {
        _closed = closed;
        if (_accept.State == IoState.Completed)
            closed();
        else
            _accept.Cancel();
    }

    /// <summary>
    /// Waits at most so long for the connections to end by themselves, then resets the rest. Calls back, when none is left, with the
    /// number of those that were reset. Returns what resets them at once.
    /// </summary>
    public Action Drain(int milliseconds, Action<int> drained)
    {
        int reset = 0;
        ActionTimer timer = new(() =>
        {
            reset = ActiveCount;
            for (Relay? relay = _first; relay is not null; relay = relay.Next)
                relay.Abort();
        });
        if (ActiveCount == 0)
        {
            drained(0);
            return static () => { };
        }

        // There may be two: of an unmap, and of the end of standard input after it.
        _emptied += () =>
        {
            Table.Loop.Timers.Stop(timer);
            drained(reset);
        };
        Table.Loop.Timers.Start(timer, milliseconds);
        return () =>
        {
            if (timer.Index >= 0)
                Table.Loop.Timers.Start(timer, 0);
        };
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
                new PortMappingKey(address, Mapping.GuestPort),
                new PortMappingKey(address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, Mapping.GuestPort),
            ];
        }

        return Table.Contains(_ownKeys![0]) || (IPAddress.IsLoopback(address) && Table.Contains(_ownKeys[1]));
    }

    public void Accepted(IoSocket socket)
    {
        AcceptedCount++;
        ActiveCount++;
        HostSetUp setUp = Table.SetUps.Rent();
        setUp.Listener = this;
        Relay relay = new(this, socket, setUp) { Next = _first };
        _first?.Previous = relay;
        _first = relay;
        relay.Start();
    }

    public void Completed(IoOperation operation)
    {
        _socket.Close(abort: false);
        if (operation.Error != IoError.Cancelled)
        {
            Table.Log.ListenerFailed(Mapping, operation.Error.Describe(operation.NativeError));
            Table.Forget(this);
        }

        _closed?.Invoke();
    }

    public void ConnectionBroke(IoError error) =>
        Table.Log.ConnectionBroke(Mapping, error switch
        {
            IoError.Reset => "reset by a peer",
            IoError.TimedOut => "a peer does not answer any more",
            IoError.Cancelled => "it was ended by the relay",
            _ => error.Describe(),
        });

    public void Ended(Relay relay, bool failed)
    {
        FailedCount += failed ? 1 : 0;
        ActiveCount--;
        if (relay.Previous is null)
            _first = relay.Next;
        else
            relay.Previous.Next = relay.Next;

        relay.Next?.Previous = relay.Previous;
        if (ActiveCount == 0)
        {
            Table.OnEmptied(this);
            Action? emptied = _emptied;
            _emptied = null;
            emptied?.Invoke();
        }
    }
}
