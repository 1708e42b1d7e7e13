using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// A flow through an agent: a connection to it, set up as a tcp mapping's is, and then the datagrams in both directions, each behind its length. Loop thread
/// only.
/// </summary>
internal sealed class AgentFlow : Flow, IConnection, IFrameOwner
{
    private readonly FrameStream _frames;
    private SetUp? _setUp;

    internal AgentFlow(DatagramListener listener, in DatagramBatch.Entry first)
        : base(listener, first)
    {
        _frames = new FrameStream(listener.Loop, this);
        HostSetUp setUp = listener.Table.SetUps.Rent();
        setUp.Listener = listener;
        _setUp = setUp;
    }

    public IoLoop Loop => Listener.Loop;

    IoSocket? IConnection.Client => null;

    public IoSocket? Target { get; set; }

    public bool IsAborted { get; private set; }

    internal override void Start()
    {
        _setUp!.Begin(this);
        CloseIfEnded();
    }

    internal override void Send(DatagramBatch batch, int first, int count) => _frames.Send(batch, first, count);

    internal override void End() => Abort();

    public void PumpToTarget() => _frames.OpenSend(Target!);

    public void PumpToClient(ChunkMode chunks = ChunkMode.None) => _frames.OpenReceive(Target!, []);

    public void Abort(IoError reason = IoError.Cancelled)
    {
        IsAborted = true;
        _setUp?.Cancel(reason);
        _frames.Cancel();
    }

    public void EndSetUp()
    {
        _setUp?.Release();
        _setUp = null;
    }

    public void CloseIfEnded()
    {
        if (_setUp is { IsRunning: true } || _frames.IsRunning)
            return;

        if (_setUp is null && _frames.EndedByPeer && !IsAborted)
        {
            // It is the relay that ends flows that are idle: the agent has another reason.
            Listener.ConnectionFailed(this, Listener.Target, new RelayError(
                RelayErrorCode.ConnectionRefused, "the agent has ended the flow: nothing listens at the port any more, or the agent is gone"));
        }

        Target?.Close(abort: true);
        EndSetUp();
        Listener.Ended(this);
    }

    public void Received(DatagramBatch batch) => Answer(batch);

    public void Sent(in DatagramsSent sent) => Listener.CountToGuest(sent);

    // Amid the set-up the agent's answer tells more.
    public void StreamEnded() => CloseIfEnded();
}
