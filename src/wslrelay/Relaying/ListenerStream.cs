using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The agent's connection to a relay that watches: nil, then reports, and nil every ten seconds. Of reports that a relay has not read, only the newest is kept.
/// Ends with the relay's sending side. Loop thread only.
/// </summary>
internal sealed class ListenerStream : IIoOwner
{
    private const int SignOfLifeMilliseconds = 10_000;

    private readonly IoLoop _loop;
    private readonly IoSocket _relay;
    private readonly Action<ListenerStream> _ended;
    private readonly TransferOperation _receive;
    private readonly TransferOperation _send;
    private readonly ActionTimer _signOfLife;
    private byte[]? _next;
    private bool _isAnswered;
    private bool _isEnding;

    internal ListenerStream(IoLoop loop, IoSocket relay, Action<ListenerStream> ended)
    {
        _loop = loop;
        _relay = relay;
        _ended = ended;
        _receive = loop.Port.Receive(relay, this);
        _receive.Buffer = GC.AllocateUninitializedArray<byte>(64, pinned: true);
        _send = loop.Port.Send(relay, this);
        _signOfLife = new ActionTimer(() => Report(_next ?? GuestSetUp.Nil));
    }

    internal IoLoop Loop => _loop;

    public void Completed(IoOperation operation)
    {
        bool isOver = operation.Error != IoError.None || (operation == _receive && _receive.BytesTransferred == 0);
        if (isOver && !_isEnding)
        {
            _isEnding = true;
            _loop.Timers.Stop(_signOfLife);
            _receive.Cancel();
            _send.Cancel();
        }

        if (_isEnding)
            EndIfIdle();
        else if (operation == _receive)
            _loop.Start(_receive); // A relay has nothing more to say: dropped.
        else
            SendNext();
    }

    /// <summary>Begins; the answer goes out with the first report.</summary>
    internal void Start() => _loop.Start(_receive);

    /// <summary>Sends a whole message, pinned, in place of the one that waits; <paramref name="isRefusal"/>: and of the answer.</summary>
    internal void Report(byte[] message, bool isRefusal = false)
    {
        _isAnswered |= isRefusal;
        _next = message;
        if (!_isEnding && _send.State == IoState.Completed)
            SendNext();
    }

    private void SendNext()
    {
        if (_next is null)
        {
            _loop.Timers.Start(_signOfLife, SignOfLifeMilliseconds);
            return;
        }

        if (_isAnswered)
        {
            _send.Buffer = _next;
            _next = null;
        }
        else
        {
            _isAnswered = true;
            _send.Buffer = GuestSetUp.Nil;
        }

        _loop.Start(_send);
    }

    private void EndIfIdle()
    {
        if (_receive.State == IoState.Completed && _send.State == IoState.Completed)
        {
            _relay.Close(abort: true);
            _ended(this);
        }
    }
}
