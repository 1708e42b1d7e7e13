using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The connections of a mapping on one loop, and what that loop counts of them. For that loop's thread; the mapping's reads the counters, and is told of the rest.
/// </summary>
internal sealed class RelayList(PortListener listener, IoLoop loop) : IRelayOwner, IAdopter
{
    private Relay? _first;
    private ByteCounter? _toTarget;
    private ByteCounter? _toClient;
    private long _endedCount;

    public IoLoop Loop => loop;

    /// <summary>For any thread.</summary>
    internal PortMapping Mapping => listener.Mapping;

    public ByteCounter ToTarget => _toTarget ??= new ByteCounter();

    public ByteCounter ToClient => _toClient ??= new ByteCounter();

    /// <summary>Bytes that targets have taken. For any thread.</summary>
    internal ulong BytesToTarget => _toTarget?.Value ?? 0;

    /// <summary>Bytes that clients have taken. For any thread.</summary>
    internal ulong BytesToClient => _toClient?.Value ?? 0;

    /// <summary>Of another loop than the first: those that had been set up and have ended. For any thread.</summary>
    internal long EndedCount => Volatile.Read(ref _endedCount);

    /// <summary>The mapping is told whenever none is left.</summary>
    internal bool TellsWhenEmpty { get; set; }

    /// <summary>The newest first.</summary>
    internal IEnumerable<IListedClient> Clients
    {
        get
        {
            for (Relay? relay = _first; relay is not null; relay = relay.Next)
                yield return relay;
        }
    }

    public void Adopted(IoSocket socket)
    {
        HostSetUp setUp = listener.Table.AllSetUps.Of(loop).Rent();
        setUp.Listener = listener;
        Relay relay = new(this, socket, setUp) { Next = _first };
        _first?.Previous = relay;
        _first = relay;
        relay.Start();
    }

    public void NotAdopted()
    {
        loop.EndedCount++;
        Tell(failed: true);
    }

    public void ConnectionBroke(IoError error) => listener.ConnectionBroke(error);

    public void Ended(Relay relay, bool failed)
    {
        loop.EndedCount++;
        if (relay.Previous is null)
            _first = relay.Next;
        else
            relay.Previous.Next = relay.Next;

        relay.Next?.Previous = relay.Previous;
        Tell(failed);
    }

    /// <summary>Resets all of them; returns how many there were.</summary>
    internal int AbortAll()
    {
        int count = 0;
        for (Relay? relay = _first; relay is not null; relay = relay.Next, count++)
            relay.Abort();

        return count;
    }

    // What failed is counted by the mapping itself, behind the failure that it was told of.
    private void Tell(bool failed)
    {
        if (loop.Index == 0)
        {
            listener.Ended(failed);
            return;
        }

        if (failed)
            listener.Table.Loop.Post(() => listener.Ended(failed: true));
        else
            Volatile.Write(ref _endedCount, _endedCount + 1);

        if (_first is null && TellsWhenEmpty)
            listener.Table.Loop.Post(listener.CheckEmptied);
    }
}
