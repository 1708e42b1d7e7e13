using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// A udp mapping in force: the socket on the host, and a <see cref="Flow"/> for each client (protocol, section 6). Loop thread only.
/// </summary>
internal sealed class DatagramListener : MappedPort, IDatagramOwner
{
    /// <summary>Flows of one mapping; beyond them the one idle for longest makes room.</summary>
    internal const int MaxFlows = 4096;

    // In one turn of the loop.
    private const int FlowsAsked = 64;

    private readonly IoSocket _socket;
    private readonly IoOperation _receive;
    private readonly long _idleMilliseconds;
    private readonly FlowTable _flows = new();
    private ActionTimer? _idle;

    // Those whose losses are still to be asked for.
    private Queue<Flow>? _unasked;

    // Those too that have ended and are not closed yet.
    private int _openCount;
    private bool _isOpen = true;
    private Action? _closed;
    private long _bytesToGuest;
    private long _bytesToHost;
    private long _datagramsToGuest;
    private long _datagramsToHost;
    private long _dropped;

    private DatagramListener(PortTable table, PortMapping mapping, IoSocket socket)
        : base(table, mapping)
    {
        _socket = socket;
        _receive = table.Loop.Port.ReceiveDatagrams(socket, this);
        _idleMilliseconds = (long)mapping.IdleTimeout!.Value.TotalMilliseconds;
    }

    public override int ActiveCount => _flows.Count;

    public override PortMappingStatus Status => new(Mapping, AcceptedCount, ActiveCount, FailedCount, _bytesToGuest, _bytesToHost)
    {
        Since = Since,
        LastError = LastError,
        DatagramsToGuest = _datagramsToGuest,
        DatagramsToHost = _datagramsToHost,
        Dropped = _dropped + _socket.DroppedDatagrams,
    };

    // A call for each flow.
    public override bool Refresh()
    {
        _unasked ??= new Queue<Flow>(_flows.NewestFirst);
        for (int i = 0; i < FlowsAsked && _unasked.TryDequeue(out Flow? flow); i++)
            _dropped += flow.TakeDropped();

        if (_unasked.Count > 0)
            return false;

        _unasked = null;
        return true;
    }

    public override IEnumerable<IListedClient> ClientsOn(IoLoop loop) => loop == Loop ? _flows.NewestFirst : [];

    /// <summary>Binds. Datagrams wait in the socket until <see cref="Start"/>.</summary>
    /// <exception cref="IoException">The system does not give the address and port.</exception>
    public static DatagramListener Open(PortTable table, PortMapping mapping)
    {
        IoSocket socket = table.Loop.Port.Listen(IoEndpoint.Udp(mapping.Address, mapping.HostPort));
        return new DatagramListener(table, mapping.HostPort == 0 ? mapping.WithHostPort(socket.LocalPort) : mapping, socket);
    }

    public override void Start() => Loop.Start(_receive);

    public override void Discard() => _socket.Close(abort: false);

    public override void Close(Action closed)
    {
        _closed = closed;
        ResetByClose = ActiveCount;
        EndAll();
        _receive.Cancel();
        CallClosed(); // Where the system has closed the socket before.
    }

    public override Action Drain(int milliseconds, Action<int> drained)
    {
        drained(ResetByClose);
        return static () => { };
    }

    public void Received(DatagramBatch batch)
    {
        long now = Environment.TickCount64;
        for (int i = 0, count; i < batch.Count && _isOpen; i += count)
        {
            count = batch.RunLength(i);
            Flow flow = FindOrOpen(batch[i]);
            if (flow.IsRemoved)
            {
                CountDropped(batch, i, count);
                continue;
            }

            _flows.Touch(flow, now);
            flow.Send(batch, i, count);
        }
    }

    public void Completed(IoOperation operation)
    {
        _isOpen = false;
        _socket.Close(abort: false);
        if (operation.Error != IoError.Cancelled)
        {
            Table.Log.ListenerFailed(Mapping, operation.Error.Describe(operation.NativeError));
            Table.Forget(this);
            EndAll();
        }

        CallClosed();
    }

    internal void CountToGuest(in DatagramsSent sent)
    {
        _datagramsToGuest += sent.Datagrams;
        _bytesToGuest += sent.Bytes;
        _dropped += sent.Dropped;
    }

    internal void CountDropped(long datagrams) => _dropped += datagrams;

    internal void CountDropped(DatagramBatch batch, int first, int count)
    {
        for (int i = first; i < first + count; i++)
            _dropped += batch[i].SegmentCount;
    }

    /// <summary>Sends a server's datagrams to the client of their flow.</summary>
    internal void Answer(Flow flow, DatagramBatch batch)
    {
        if (!_isOpen)
        {
            CountDropped(batch, 0, batch.Count);
            return;
        }

        if (!flow.IsRemoved)
            _flows.Touch(flow, Environment.TickCount64);

        DatagramsSent sent = Loop.Port.SendDatagrams(_socket, batch, 0, batch.Count, flow.Client, flow.Local);
        _datagramsToHost += sent.Datagrams;
        _bytesToHost += sent.Bytes;
        _dropped += sent.Dropped;
    }

    /// <summary>A flow has failed, unless it was ended here before: then it had no time to come about.</summary>
    public override void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error)
    {
        if (client is Flow { IsRemoved: true })
            return;

        FailedCount++;
        base.ConnectionFailed(client, target, error);
    }

    /// <summary>All of a flow is closed.</summary>
    internal void Ended(Flow flow)
    {
        Remove(flow);
        _openCount--;
        Loop.Garbage.Add(1);
        CallClosed();
    }

    private Flow FindOrOpen(in DatagramBatch.Entry first)
    {
        if (_flows.Find(first) is { } known)
            return known;

        if (_flows.Count >= MaxFlows)
            End(_flows.Oldest!);

        Flow flow = Table.Preamble.HasAgent ? new AgentFlow(this, first) : new DirectFlow(this, first);
        long now = Environment.TickCount64;
        _flows.Add(flow, now);
        StartTimer(now);
        AcceptedCount++;
        _openCount++;
        flow.Start();
        return flow;
    }

    // Its datagrams have somewhere else to go from here on: those that come next begin a new flow.
    private void End(Flow flow)
    {
        Remove(flow);
        flow.End();
    }

    private void EndAll()
    {
        while (_flows.Oldest is { } flow)
            End(flow);
    }

    private void EndIdle()
    {
        long now = Environment.TickCount64;
        while (_flows.Oldest is { } flow && flow.LastUse + _idleMilliseconds <= now)
            End(flow);

        StartTimer(now);
    }

    // One timer for all of them, and not moved with each datagram: it finds the flows in the order in which they fall due.
    private void StartTimer(long now)
    {
        _idle ??= new ActionTimer(EndIdle);
        if (_flows.Oldest is { } oldest && _idle.Index < 0)
            Loop.Timers.Start(_idle, oldest.LastUse + _idleMilliseconds - now);
    }

    private void Remove(Flow flow)
    {
        if (flow.IsRemoved)
            return;

        flow.IsRemoved = true;
        _flows.Remove(flow);
    }

    private void CallClosed()
    {
        if (_isOpen || _openCount > 0)
            return;

        if (_idle is not null)
            Loop.Timers.Stop(_idle);

        Action? closed = _closed;
        _closed = null;
        closed?.Invoke();
    }
}
