using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The datagrams of one client of a udp mapping, and the server's answers: a way of its own towards the server, so that the server sees one peer for each
/// client. Loop thread only.
/// </summary>
internal abstract class Flow(DatagramListener listener, in DatagramBatch.Entry first) : IListedClient
{
    internal readonly InternetAddress Client = first.Client;

    /// <summary>Where the client sends to, and its answers come from; the default unless the mapping's address is a wildcard.</summary>
    internal readonly InternetAddress Local = first.Local;

    public IPEndPoint ClientEndPoint => Client.ToEndPoint()!;

    public PortMapping Mapping => listener.Mapping;

    public uint AcceptedAt { get; } = ConnectionQuery.Now;

    public RelayConnectionState? State => IsRemoved ? null : RelayConnectionState.Flow;

    /// <summary>The neighbours in the listener's list by last use.</summary>
    internal Flow? Previous { get; set; }

    /// <inheritdoc cref="Previous"/>
    internal Flow? Next { get; set; }

    /// <summary>The listener does not count on it any more.</summary>
    internal bool IsRemoved { get; set; }

    /// <summary>When a datagram last came, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    internal long LastUse { get; set; }

    /// <summary>The system's count of what found no room here, since it was asked last.</summary>
    internal virtual long TakeDropped() => 0;

    protected DatagramListener Listener => listener;

    /// <summary>Begins; it may have failed and be over when this returns.</summary>
    internal abstract void Start();

    /// <summary>Sends datagrams of its client on; what finds no room is dropped.</summary>
    internal abstract void Send(DatagramBatch batch, int first, int count);

    /// <summary>Ends it, at the latest by the wait that follows; the listener is notified when all of it is closed.</summary>
    internal abstract void End();

    /// <summary>Sends datagrams of the server to the client.</summary>
    protected void Answer(DatagramBatch batch) => listener.Answer(this, batch);
}

/// <summary>A flow whose server is reached directly.</summary>
internal sealed class DirectFlow(DatagramListener listener, in DatagramBatch.Entry first) : Flow(listener, first), IServerOwner
{
    private ServerSocket? _server;
    private int _attempts;
    private long _dropped;

    public bool HasNextAddress => !IsRemoved && _attempts < Listener.Table.Target.AddressCount(Listener.Mapping);

    internal override long TakeDropped()
    {
        long before = _dropped;
        _dropped = _server?.Dropped ?? before;
        return _dropped - before;
    }

    internal override void Start()
    {
        try
        {
            _server = new ServerSocket(Listener.Loop, ConnectNext(), this);
        }
        catch (IoException e)
        {
            ServerEnded(e.Error, e.NativeError);
        }
    }

    internal override void Send(DatagramBatch batch, int first, int count) => Listener.CountToGuest(_server!.Send(batch, first, count));

    internal override void End() => _server?.End();

    public IoSocket ConnectNext()
    {
        while (true)
        {
            IoEndpoint endpoint = Listener.Table.Target.For(Listener.Mapping, _attempts++);
            try
            {
                return Listener.IsOwnPort(endpoint)
                    ? throw new IoException(IoError.ConnectionRefused, 0, "the target is a port of this relay itself")
                    : Listener.Loop.Port.ConnectDatagrams(endpoint);
            }
            catch (IoException) when (HasNextAddress)
            {
            }
        }
    }

    public void Answered(DatagramBatch batch) => Answer(batch);

    public void ServerEnded(IoError error, int nativeError)
    {
        Listener.CountDropped(TakeDropped());
        _server = null;
        if (error != IoError.Cancelled)
        {
            Listener.Table.Target.LookUpAgain(Listener.Loop);
            Listener.ConnectionFailed(
                this, Listener.Table.Target.For(Listener.Mapping, _attempts - 1), new RelayError(error.ToErrorCode(), error.Describe(nativeError)));
        }

        Listener.Ended(this);
    }
}
