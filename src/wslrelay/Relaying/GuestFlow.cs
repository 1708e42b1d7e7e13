using System.Net;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// A flow at the agent: datagrams between the stream of a relay and a socket that is connected to a server of this guest. It is over when either is. Loop
/// thread only.
/// </summary>
internal sealed class GuestFlow : IFrameOwner, IServerOwner
{
    private readonly IoLoop _loop;
    private readonly IoSocket _relay;
    private readonly ServerSocket _server;
    private readonly FrameStream _frames;
    private int _nextPort;

    /// <param name="loop">The loop.</param>
    /// <param name="relay">The stream.</param>
    /// <param name="server">Connected to the server.</param>
    /// <param name="nextPort">The server's port at ::1, where it may be as well; 0: it may not.</param>
    internal GuestFlow(IoLoop loop, IoSocket relay, IoSocket server, int nextPort)
    {
        _loop = loop;
        _relay = relay;
        _nextPort = nextPort;
        _frames = new FrameStream(loop, this);
        _server = new ServerSocket(loop, server, this);
    }

    public bool HasNextAddress => _nextPort != 0 && !_frames.IsOver;

    /// <summary>Begins with what came along with the preamble.</summary>
    internal void Start(ReadOnlySpan<byte> received)
    {
        _frames.OpenSend(_relay);
        _frames.OpenReceive(_relay, received);
    }

    public void Received(DatagramBatch batch)
    {
        if (!_server.IsOver)
            _ = _server.Send(batch, 0, batch.Count);
    }

    public void Answered(DatagramBatch batch) => _frames.Send(batch, 0, batch.Count);

    public IoSocket ConnectNext()
    {
        IoEndpoint next = IoEndpoint.Udp(IPAddress.IPv6Loopback, _nextPort);
        _nextPort = 0;
        return _loop.Port.ConnectDatagrams(next);
    }

    public void StreamEnded()
    {
        if (_server.IsOver)
            Close();
        else
            _server.End();
    }

    public void ServerEnded(IoError error, int nativeError)
    {
        if (_frames.IsRunning)
            _frames.EndAfterSending();
        else
            Close();
    }

    private void Close()
    {
        _relay.Close(abort: false);
        _loop.Garbage.Add(1);
    }
}
