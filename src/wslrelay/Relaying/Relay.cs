using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>What accepts connections and relays them: a mapping at the host, the agent in the guest. Loop thread only.</summary>
internal interface IRelayOwner
{
    IoLoop Loop { get; }

    /// <summary>Counts the bytes that targets have taken.</summary>
    ByteCounter ToTarget { get; }

    /// <summary>Counts the bytes that clients have taken.</summary>
    ByteCounter ToClient { get; }

    /// <summary>A connection that was set up broke: reset by a peer, or timed out.</summary>
    void ConnectionBroke(IoError error)
    {
    }

    /// <summary>A connection has ended and both its sockets are closed. <paramref name="failed"/>: it was never set up.</summary>
    void Ended(Relay relay, bool failed)
    {
    }
}

/// <summary>What a client has open: a connection, or a flow of datagrams.</summary>
internal interface IClient
{
    /// <summary>The client's address; null where it is gone already.</summary>
    IPEndPoint? ClientEndPoint { get; }
}

/// <summary>What was known of a client.</summary>
internal sealed record FormerClient(IPEndPoint? ClientEndPoint) : IClient;

/// <summary>A client of a mapping, as a <see cref="ConnectionQuery"/> finds it. Loop thread only.</summary>
internal interface IListedClient : IClient
{
    PortMapping Mapping { get; }

    /// <summary>When it came, in units of <see cref="ConnectionQuery.TickMilliseconds"/> modulo 2^32.</summary>
    uint AcceptedAt { get; }

    /// <summary>Null once it is over.</summary>
    RelayConnectionState? State { get; }

    /// <summary>Bytes received from it and sent to it, as the system counts them; null where it does not.</summary>
    (long? Received, long? Sent) ByteCounts => default;
}

/// <summary>What a <see cref="SetUp"/> sets up, and closes where that fails. Loop thread only.</summary>
internal interface IConnection : IClient
{
    IoLoop Loop { get; }

    /// <summary>The socket that was accepted; null where datagrams come from a socket of many clients.</summary>
    IoSocket? Client { get; }

    /// <summary>Null until it is connected.</summary>
    IoSocket? Target { get; set; }

    /// <summary>Nothing more is started: all that runs was cancelled.</summary>
    bool IsAborted { get; }

    /// <summary>From now on the target gets what the client sends.</summary>
    void PumpToTarget();

    /// <summary>From now on the client gets what the target sends.</summary>
    void PumpToClient(ChunkMode chunks = ChunkMode.None);

    /// <summary>Ends the connection with a reset on both sides; the owner is told once all of it is closed.</summary>
    void Abort(IoError reason = IoError.Cancelled);

    /// <summary>The client's socket, from now on the caller's: this is no connection to a target, and ends.</summary>
    IoSocket TakeClient() => throw new NotSupportedException();

    /// <summary>The connection is set up: from here on only its pumps count.</summary>
    void EndSetUp();

    /// <summary>Closes both sockets if nothing runs any more.</summary>
    void CloseIfEnded();
}

/// <summary>
/// One connection: a client's socket (in the agent the relay's), its target's, and a pump for each direction. A <see cref="SetUp"/> connects the target and starts the
/// pumps; it is gone once both run. When all of them have ended both sockets are closed: with an end of sending if all went well, with a reset
/// otherwise. Loop thread only.
/// </summary>
internal sealed class Relay(IRelayOwner owner, IoSocket? client, SetUp setUp) : IListedClient, IConnection, IIoOwner
{
    private SetUp? _setUp = setUp;
    private PumpOperation? _toTarget;
    private PumpOperation? _toClient;
    private readonly uint _acceptedAt = ConnectionQuery.Now;
    private bool _broke;
    private bool _aborted;

    /// <summary>The neighbours in the owner's list of connections.</summary>
    internal Relay? Previous { get; set; }

    /// <inheritdoc cref="Previous"/>
    internal Relay? Next { get; set; }

    public IoLoop Loop => owner.Loop;

    public IoSocket Client => client!;

    public IPEndPoint? ClientEndPoint => client?.RemoteEndPoint;

    public PortMapping Mapping => ((RelayList)owner).Mapping;

    public uint AcceptedAt => _acceptedAt;

    public (long? Received, long? Sent) ByteCounts => client?.ByteCounts ?? default;

    public RelayConnectionState? State => _setUp is not null ? RelayConnectionState.Connecting
        : _toTarget is null && _toClient is null ? null
        : _toTarget is null or { HasPassedOnEnd: true } ? RelayConnectionState.ClientEnded
        : _toClient is null or { HasPassedOnEnd: true } ? RelayConnectionState.ServerEnded
        : RelayConnectionState.Open;

    public IoSocket? Target { get; set; }

    public bool IsAborted => _aborted;

    public void Completed(IoOperation operation)
    {
        if (operation == _toTarget)
            _toTarget = null;
        else
            _toClient = null;

        if (operation.Error == IoError.ReceiverBroke)
        {
            // The other pump still delivers what that side had sent, then comes upon the error.
            _broke = true;
        }
        else if (operation.Error != IoError.None)
        {
            if (!_aborted && _setUp is null)
                owner.ConnectionBroke(operation.Error);

            Abort(operation.Error);
        }

        CloseIfEnded();
    }

    internal void Start()
    {
        _setUp!.Begin(this);
        CloseIfEnded();
    }

    public void Abort(IoError reason = IoError.Cancelled)
    {
        _broke = _aborted = true;
        _setUp?.Cancel(reason);
        _toTarget?.Cancel(reason);
        _toClient?.Cancel(reason);
    }

    public void PumpToTarget()
    {
        if (!_aborted)
            Loop.Start(_toTarget = Loop.Port.Pump(Client, Target!, owner.ToTarget, this));
    }

    public void PumpToClient(ChunkMode chunks = ChunkMode.None)
    {
        if (!_aborted)
            Loop.Start(_toClient = Loop.Port.Pump(Target!, Client, owner.ToClient, this, chunks));
    }

    public IoSocket TakeClient()
    {
        IoSocket taken = Client;
        client = null;
        return taken;
    }

    public void EndSetUp()
    {
        _setUp?.Release();
        _setUp = null;
    }

    public void CloseIfEnded()
    {
        if (_toTarget is null && _toClient is null && _setUp is not { IsRunning: true })
        {
            Target?.Close(_broke);
            client?.Close(_broke);
            bool failed = _setUp is not null;
            EndSetUp();
            owner.Ended(this, failed);
        }
    }
}
