using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The datagrams of one client of a udp mapping, and the server's answers: a way of its own towards the server, so that the server sees one peer for each
/// client. Loop thread only.
/// </summary>
internal abstract class Flow(DatagramListener listener, in DatagramAddress client) : IListedClient
{
    internal readonly DatagramAddress Client = client;

    /// <summary>Where the client sends to, and its answers come from; the default unless the mapping's address is a wildcard.</summary>
    internal DatagramAddress Local;

    public IPEndPoint ClientEndPoint => Client.ToEndPoint();

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

    protected IoPort Port => listener.Loop.Port;

    /// <summary>Begins; it may have failed and be over when this returns.</summary>
    internal abstract void Start();

    /// <summary>Sends datagrams of its client on; what finds no room is dropped.</summary>
    internal abstract void Send(DatagramBatch batch, int first, int count);

    /// <summary>Ends it, at the latest by the wait that follows; the listener is told when all of it is closed.</summary>
    internal abstract void End();

    /// <summary>Sends datagrams of the server to the client.</summary>
    protected void Answer(DatagramBatch batch) => listener.Answer(this, batch);
}

/// <summary>A flow whose server is reached directly, by a connected socket.</summary>
internal sealed class DirectFlow(DatagramListener listener, in DatagramAddress client) : Flow(listener, client), IDatagramOwner
{
    private IoSocket? _server;
    private IoOperation? _receive;
    private IoEndpoint _endpoint;
    private DatagramsSent _failure;
    private long _dropped;

    internal override long TakeDropped()
    {
        long before = _dropped;
        _dropped = _server?.DroppedDatagrams ?? before;
        return _dropped - before;
    }

    internal override void Start()
    {
        try
        {
            _server = Connect();
            _receive = Port.ReceiveDatagrams(_server, this);
            Listener.Loop.Start(_receive);
        }
        catch (IoException e)
        {
            Fail(e.Error, e.NativeError);
        }
    }

    internal override void Send(DatagramBatch batch, int first, int count)
    {
        DatagramsSent sent = Port.SendDatagrams(_server!, batch, first, count);
        Listener.CountToGuest(sent);
        if (sent.Error != IoError.None)
        {
            _failure = sent;
            End();
        }
    }

    internal override void End() => _receive?.Cancel();

    public void Received(DatagramBatch batch) => Answer(batch);

    public void Completed(IoOperation operation)
    {
        (IoError error, int nativeError) = _failure.Error != IoError.None ? (_failure.Error, _failure.NativeError) : (operation.Error, operation.NativeError);
        Listener.CountDropped(TakeDropped());
        _server!.Close(abort: false);
        _server = null;
        if (error == IoError.Cancelled)
            Listener.Ended(this, failed: false);
        else
            Fail(error, nativeError);
    }

    private void Fail(IoError error, int nativeError)
    {
        Listener.Table.Target.LookUpAgain(Listener.Loop);
        Listener.ConnectionFailed(this, _endpoint, new RelayError(error.ToErrorCode(), error.Describe(nativeError)));
        Listener.Ended(this, failed: true);
    }

    // To the first of the target's addresses that there is a way to.
    private IoSocket Connect()
    {
        for (int attempt = 0; ; attempt++)
        {
            _endpoint = Listener.Table.Target.For(Listener.Mapping, attempt);
            try
            {
                return Listener.IsOwnPort(_endpoint)
                    ? throw new IoException(IoError.ConnectionRefused, 0, "the target is a port of this relay itself")
                    : Port.ConnectDatagrams(_endpoint);
            }
            catch (IoException) when (attempt + 1 < Listener.Table.Target.AddressCount(Listener.Mapping))
            {
            }
        }
    }
}
