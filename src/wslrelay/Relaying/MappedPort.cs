using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One mapping in force: its socket on the host, what its clients have open, its counters. No other mapping is touched by what happens here. Loop
/// thread only.
/// </summary>
internal abstract class MappedPort(PortTable table, PortMapping mapping) : PortRoute(table, mapping)
{
    public bool Auto { get; set; }

    /// <summary>Connections or flows that are open or being set up.</summary>
    public abstract int ActiveCount { get; }

    public long AcceptedCount { get; protected set; }

    /// <summary>Those that the target refused or that could not be set up.</summary>
    public long FailedCount { get; protected set; }

    /// <summary>What <see cref="Close"/> itself has ended.</summary>
    public int ResetByClose { get; protected set; }

    public DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    /// <summary>Why a connection failed last; null while none has.</summary>
    public RelayFailure? LastError { get; private set; }

    public abstract PortMappingStatus Status { get; }

    /// <summary>Asks the system for some of what <see cref="Status"/> tells; false while there is more to be asked, in another turn of the loop.</summary>
    public virtual bool Refresh() => true;

    /// <summary>The connections or flows that a loop has, the newest first. For that loop's thread.</summary>
    public abstract IEnumerable<IListedClient> ClientsOn(IoLoop loop);

    /// <summary>An automatic mapping becomes this one, of the same key. Open connections stay where they are.</summary>
    public void TakeOver(PortMapping mapping)
    {
        Auto = false;
        Retarget(mapping);
    }

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

    public override void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error)
    {
        Table.Log.ConnectionFailed(Mapping, target, error.Name, error.Message);
        LastError = new RelayFailure(error.Name, $"{target}: {error.Message}", DateTimeOffset.UtcNow);
        if (Table.Events.HasSubscriber)
            Table.Events.Raise(new ConnectionFailedEvent(Mapping, client.ClientEndPoint, error with { Message = LastError.Message }) { At = LastError.At });
    }
}
