using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>A tcp mapping in force: its listener and its connections. It outlives its mapping for as long as connections do. Loop thread only.</summary>
internal sealed class PortListener : MappedPort, IAcceptOwner, IRelayOwner
{
    private readonly IoSocket _socket;
    private readonly IoOperation _accept;
    private Relay? _first;
    private ByteCounter? _toTarget;
    private ByteCounter? _toClient;
    private Action? _closed;
    private Action? _emptied;

    private PortListener(PortTable table, PortMapping mapping, IoSocket socket)
        : base(table, mapping)
    {
        _socket = socket;

        // Nothing is received of a client before the agent's answer.
        AcceptOperation accept = table.Loop.Port.Accept(socket, this);
        accept.IsToAdopt = table.Preamble.OffersPass;
        _accept = accept;
    }

    public ByteCounter ToTarget => _toTarget ??= new ByteCounter();

    public ByteCounter ToClient => _toClient ??= new ByteCounter();

    public override PortMappingStatus Status =>
        new(Mapping, AcceptedCount, ActiveCount, FailedCount, (long)(_toTarget?.Value ?? 0), (long)(_toClient?.Value ?? 0)) { Since = Since, LastError = LastError, Auto = Auto };

    public override IEnumerable<IListedClient> Clients
    {
        get
        {
            for (Relay? relay = _first; relay is not null; relay = relay.Next)
                yield return relay;
        }
    }

    /// <summary>Binds and listens. Connections wait in the backlog until <see cref="Start"/>.</summary>
    /// <exception cref="IoException">The system does not give the address and port.</exception>
    public static PortListener Open(PortTable table, PortMapping mapping)
    {
        IoSocket socket = table.Loop.Port.Listen(IoEndpoint.Tcp(mapping.Address, mapping.HostPort));
        return new PortListener(table, mapping.HostPort == 0 ? mapping.WithHostPort(socket.LocalPort) : mapping, socket);
    }

    public override void Start() => Table.Loop.Start(_accept);

    public override void Discard() => _socket.Close(abort: false);

    public override void Close(Action closed)
    {
        _closed = closed;
        if (_accept.State == IoState.Completed)
            closed();
        else
            _accept.Cancel();
    }

    public override Action Drain(int milliseconds, Action<int> drained)
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
