using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// A flow at the agent: datagrams between the stream of a relay and a socket that is connected to a server of this guest. It is over when either is. Loop
/// thread only.
/// </summary>
internal sealed class GuestFlow : IFrameOwner, IDatagramOwner
{
    private readonly IoPort _port;
    private readonly IoLoop _loop;
    private readonly IoSocket _relay;
    private readonly IoSocket _server;
    private readonly IoOperation _receive;
    private readonly FrameStream _frames;

    internal GuestFlow(IoLoop loop, IoSocket relay, IoSocket server)
    {
        _loop = loop;
        _port = loop.Port;
        _relay = relay;
        _server = server;
        _receive = _port.ReceiveDatagrams(server, this);
        _frames = new FrameStream(loop, this);
    }

    /// <summary>Begins with what came along with the preamble.</summary>
    internal void Start(ReadOnlySpan<byte> received)
    {
        _loop.Start(_receive);
        _frames.OpenSend(_relay);
        _frames.OpenReceive(_relay, received);
    }

    void IFrameOwner.Received(DatagramBatch batch)
    {
        // The server's system says that nobody listens.
        if (_port.SendDatagrams(_server, batch, 0, batch.Count).Error != IoError.None)
            _receive.Cancel();
    }

    void IDatagramOwner.Received(DatagramBatch batch) => _frames.Send(batch, 0, batch.Count);

    public void StreamEnded()
    {
        if (_receive.State == IoState.Completed)
            Close();
        else
            _receive.Cancel();
    }

    public void Completed(IoOperation operation)
    {
        if (_frames.IsRunning)
            _frames.EndAfterSending();
        else
            Close();
    }

    private void Close()
    {
        _relay.Close(abort: false);
        _server.Close(abort: false);
    }
}
