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

    // A table of more is given back when it is empty.
    private const int SmallCapacity = 64;

    // In one turn of the loop.
    private const int FlowsAsked = 64;

    // Clients of a server that is not there come again and again.
    private const int LogInterval = 1000;

    private readonly IoSocket _socket;
    private readonly IoOperation _receive;
    private readonly long _idleMilliseconds;
    private HashSet<Flow>? _flows;
    private HashSet<Flow>.AlternateLookup<DatagramBatch.Entry> _flowsByDatagram;
    private ActionTimer? _idle;

    // Those whose losses are still to be asked for.
    private Queue<Flow>? _unasked;

    // By last use.
    private Flow? _oldest;
    private Flow? _newest;

    // Those too that have ended and are not closed yet.
    private int _openCount;
    private bool _isOpen = true;
    private int _activeCount;
    private Action? _closed;
    private long _bytesToGuest;
    private long _bytesToHost;
    private long _datagramsToGuest;
    private long _datagramsToHost;
    private long _dropped;
    private long _nextLog;

    private DatagramListener(PortTable table, PortMapping mapping, IoSocket socket)
        : base(table, mapping)
    {
        _socket = socket;
        _receive = table.Loop.Port.ReceiveDatagrams(socket, this);
        _idleMilliseconds = (long)mapping.IdleTimeout!.Value.TotalMilliseconds;
    }

    protected override bool LogsFailures
    {
        get
        {
            long now = Environment.TickCount64;
            bool logs = now >= _nextLog;
            _nextLog = logs ? now + LogInterval : _nextLog;
            return logs;
        }
    }

    public override int ActiveCount => _activeCount;

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
        _unasked ??= new Queue<Flow>(_flows?.AsEnumerable() ?? []);
        for (int i = 0; i < FlowsAsked && _unasked.TryDequeue(out Flow? flow); i++)
            _dropped += flow.TakeDropped();

        if (_unasked.Count > 0)
            return false;

        _unasked = null;
        return true;
    }

    public override IEnumerable<IListedClient> ClientsOn(IoLoop loop)
    {
        for (Flow? flow = loop == Loop ? _newest : null; flow is not null; flow = flow.Previous)
            yield return flow;
    }

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

            Touch(flow, now);
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

        Touch(flow, Environment.TickCount64);
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
        if (_flows is null)
        {
            _flows = new HashSet<Flow>(new FlowComparer());
            _flowsByDatagram = _flows.GetAlternateLookup<DatagramBatch.Entry>();
        }

        if (_flowsByDatagram.TryGetValue(first, out Flow? flow))
            return flow;

        if (_flows.Count >= MaxFlows)
            End(_oldest!);

        flow = Table.Preamble.HasAgent ? new AgentFlow(this, first) : new DirectFlow(this, first);
        _flows.Add(flow);
        Append(flow, Environment.TickCount64);
        AcceptedCount++;
        _activeCount++;
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
        while (_oldest is not null)
            End(_oldest);
    }

    private void EndIdle()
    {
        long now = Environment.TickCount64;
        while (_oldest is not null && _oldest.LastUse + _idleMilliseconds <= now)
            End(_oldest);

        StartTimer(now);
    }

    // One timer for all of them, and not moved with each datagram: it finds the flows in the order in which they fall due.
    private void StartTimer(long now)
    {
        _idle ??= new ActionTimer(EndIdle);
        if (_oldest is not null && _idle.Index < 0)
            Loop.Timers.Start(_idle, _oldest.LastUse + _idleMilliseconds - now);
    }

    private void Remove(Flow flow)
    {
        if (flow.IsRemoved)
            return;

        flow.IsRemoved = true;
        Unlink(flow);
        _activeCount--;
        _ = _flows!.Remove(flow);
        if (_flows.Count == 0 && _flows.Capacity > SmallCapacity)
            _flows = null;
    }

    private void Touch(Flow flow, long now)
    {
        flow.LastUse = now;
        if (flow != _newest && !flow.IsRemoved)
        {
            Unlink(flow);
            Append(flow, now);
        }
    }

    private void Append(Flow flow, long now)
    {
        flow.LastUse = now;
        flow.Previous = _newest;
        _newest?.Next = flow;
        _newest = flow;
        _oldest ??= flow;
        StartTimer(now);
    }

    private void Unlink(Flow flow)
    {
        if (flow.Previous is null)
            _oldest = flow.Next;
        else
            flow.Previous.Next = flow.Next;

        if (flow.Next is null)
            _newest = flow.Previous;
        else
            flow.Next.Previous = flow.Previous;

        flow.Previous = flow.Next = null;
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
