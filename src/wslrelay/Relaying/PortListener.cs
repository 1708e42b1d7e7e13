using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// A tcp mapping in force: its listener and its connections, of each loop those that it has (<see cref="RelayList"/>). It outlives its mapping for as long as
/// connections do. For the thread of the loop that listens.
/// </summary>
internal sealed class PortListener : MappedPort, IAcceptOwner
{
    private readonly IoSocket _socket;
    private readonly IoOperation _accept;
    private RelayList? _own;
    private RelayList?[]? _others;

    // Beside those that other loops count.
    private long _endedCount;

    // Other loops that have been asked something and have not answered.
    private int _unanswered;
    private bool _isEnding;
    private Action? _closed;
    private Action? _emptied;

    private PortListener(PortTable table, PortMapping mapping, IoSocket socket)
        : base(table, mapping)
    {
        _socket = socket;
        _accept = table.Loop.Port.Accept(socket, this);
    }

    public override int ActiveCount
    {
        get
        {
            long ended = _endedCount;
            foreach (RelayList? list in _others ?? [])
                ended += list?.EndedCount ?? 0;

            return (int)(AcceptedCount - ended);
        }
    }

    public override PortMappingStatus Status
    {
        get
        {
            ulong toTarget = _own?.BytesToTarget ?? 0;
            ulong toClient = _own?.BytesToClient ?? 0;
            foreach (RelayList? list in _others ?? [])
            {
                toTarget += list?.BytesToTarget ?? 0;
                toClient += list?.BytesToClient ?? 0;
            }

            return new(Mapping, AcceptedCount, ActiveCount, FailedCount, (long)toTarget, (long)toClient) { Since = Since, LastError = LastError, Auto = Auto };
        }
    }

    /// <summary>Binds and listens. Connections wait in the backlog until <see cref="Start"/>.</summary>
    /// <exception cref="IoException">The system does not give the address and port.</exception>
    public static PortListener Open(PortTable table, PortMapping mapping)
    {
        IoSocket socket = table.Loop.Port.Listen(IoEndpoint.Tcp(mapping.Address, mapping.HostPort));
        return new PortListener(table, mapping.HostPort == 0 ? mapping.WithHostPort(socket.LocalPort) : mapping, socket);
    }

    public override IEnumerable<IListedClient> ClientsOn(IoLoop loop) => (loop.Index == 0 ? _own : _others?[loop.Index])?.Clients ?? [];

    public override void Start() => Table.Loop.Start(_accept);

    public override void Discard() => _socket.Close(abort: false);

    public override void Close(Action closed)
    {
        _closed = closed;
        EndGiving();
        if (_accept.State == IoState.Completed)
            CallClosed();
        else
            _accept.Cancel();
    }

    public override Action Drain(int milliseconds, Action<int> drained)
    {
        int reset = 0;
        ActionTimer timer = new(() =>
        {
            AskOthers(static list => list.AbortAll(), count => reset += count);
            reset += _own?.AbortAll() ?? 0;
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

    public IoLoop? LoopOfNext => !_isEnding && Table.Loop.Group?.Choose() is { } loop && PrepareForOtherLoop() ? loop : null;

    public void Accepted(IoSocket socket)
    {
        AcceptedCount++;
        Loop.BegunCount++;
        _own ??= new RelayList(this, Loop);
        _own.Adopted(socket);
    }

    public void AcceptedFor(IoLoop loop, IoSocket socket)
    {
        AcceptedCount++;
        _others ??= new RelayList?[Loop.Group!.Count];
        Loop.Group!.Give(loop, socket, _others[loop.Index] ??= new RelayList(this, loop));
    }

    public void Completed(IoOperation operation)
    {
        _socket.Close(abort: false);
        EndGiving();
        if (operation.Error != IoError.Cancelled)
        {
            Table.Log.ListenerFailed(Mapping, operation.Error.Describe(operation.NativeError));
            Table.Forget(this);
        }

        CallClosed();
    }

    /// <summary>A connection broke that was set up. For any thread.</summary>
    internal void ConnectionBroke(IoError error) =>
        Table.Log.ConnectionBroke(Mapping, error switch
        {
            IoError.Reset => "reset by a peer",
            IoError.TimedOut => "a peer does not answer any more",
            IoError.Cancelled => "it was ended by the relay",
            _ => error.Describe(),
        });

    /// <summary>A connection has ended: one of this loop, or one that failed on another.</summary>
    internal void Ended(bool failed)
    {
        FailedCount += failed ? 1 : 0;
        _endedCount++;
        CheckEmptied();
    }

    /// <summary>Acts if no connection is left.</summary>
    internal void CheckEmptied()
    {
        if (_unanswered > 0 || ActiveCount > 0)
            return;

        Table.OnEmptied(this);
        Action? emptied = _emptied;
        _emptied = null;
        emptied?.Invoke();
    }

    // No loop gets a connection any more, and each tells from now on when it has none left; what has ended before is counted.
    private void EndGiving()
    {
        if (_isEnding)
            return;

        _isEnding = true;
        AskOthers(static list =>
        {
            list.TellsWhenEmpty = true;
            return 0;
        }, static _ => { });
    }

    private void AskOthers(Func<RelayList, int> ask, Action<int> answered)
    {
        foreach (RelayList? list in _others ?? [])
        {
            if (list is null)
                continue;

            _unanswered++;
            list.Loop.Post(() =>
            {
                int answer = ask(list);
                Table.Loop.Post(() =>
                {
                    answered(answer);
                    _unanswered--;
                    CallClosed();
                    CheckEmptied();
                });
            });
        }
    }

    private void CallClosed()
    {
        if (_accept.State != IoState.Completed || _unanswered > 0)
            return;

        Action? closed = _closed;
        _closed = null;
        closed?.Invoke();
    }
}
