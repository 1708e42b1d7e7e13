using System.Net;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The relay's connection to the agent that watches the guest's listeners (protocol, section 8), made again for as long as it is wanted. An agent costs no more than
/// one report in memory and one every 250 ms to read, whatever it sends. Loop thread only.
/// </summary>
internal sealed class AgentWatch : OwnConnection, IIoOwner
{
    private const int ReportMilliseconds = 250;
    private const int SilenceMilliseconds = 30_000;
    private const int FirstRetryMilliseconds = 100;
    private const int LastRetryMilliseconds = 5000;
    private const int BufferSize = 16 * 1024;

    // After a full buffer: no agent has more to say for long.
    private const int PauseMilliseconds = 10;

    // Two: a guest with a network of its own might have one of these ports open by chance, but hardly both.
    private const int TestListenerCount = 2;

    // Of udp, whose connections offer the agent neither to pass a socket nor to mark an end.
    private static readonly PortMapping AnyMapping = new(IPAddress.Loopback, 0, 1, MapProtocol.Udp);

    private readonly AutoMapper _owner;
    private readonly ActionTimer _silence;
    private readonly ActionTimer _pause;
    private readonly ActionTimer _retry;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);
    private readonly List<IoSocket> _testListeners = [];
    private RpcReader _reader = new(ListenerReport.MaxSize);
    private TransferOperation? _receive;
    private byte[]? _waiting;
    private RelayError? _error;
    private bool _isAnswer;
    private bool _isWanted;
    private bool _udp;
    private bool _isReceiving;
    private bool _hasReported;
    private bool _sharesNetwork;
    private int _retryMilliseconds;
    private long _nextReport;

    internal AgentWatch(PortTable table, AutoMapper owner)
        : base(table, AnyMapping)
    {
        _owner = owner;
        _silence = new ActionTimer(() => _receive!.Cancel(IoError.TimedOut));
        _pause = new ActionTimer(GoOn);
        _retry = new ActionTimer(Connect);
    }

    public override byte[] Preamble => SetUp.Encode(ListenerReport.WritePreamble, _udp);

    protected override bool IsRunning => !IsAborted || _isReceiving;

    /// <param name="udp">Whether ports where datagrams are received are of interest too.</param>
    internal void Start(bool udp)
    {
        if (_isWanted && _udp == udp)
            return;

        Stop();
        (_isWanted, _udp, _retryMilliseconds) = (true, udp, FirstRetryMilliseconds);
        if (!IsOpen)
            Connect();
    }

    internal void Stop()
    {
        _isWanted = false;
        Loop.Timers.Stop(_retry);
        Abort();
        CloseIfEnded();
    }

    public override void PumpToClient(ChunkMode chunks = ChunkMode.None)
    {
        _owner.AgentUp();
        Receive();
    }

    public override void Abort(IoError reason = IoError.Cancelled)
    {
        base.Abort(reason);
        Loop.Timers.Stop(_pause);
        _receive?.Cancel(reason);
    }

    public override void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error)
    {
        if (IsAborted)
            return;

        _isAnswer = HasAnswer;
        _error = _isAnswer ? error : error with { Message = $"{target}: {error.Message}" };
    }

    public void Completed(IoOperation operation)
    {
        _isReceiving = false;
        Loop.Timers.Stop(_silence);
        if (IsAborted)
            CloseIfEnded();
        else if (operation.Error != IoError.None)
            Fail(operation.Error.ToErrorCode(), operation.Error == IoError.TimedOut ? "the agent does not answer any more" : "the agent is gone: its connection was reset");
        else if (_receive!.BytesTransferred == 0)
            Fail(RelayErrorCode.ConnectionRefused, "the agent's side closed the connection");
        else
            Received(_receive.BytesTransferred);
    }

    protected override void Connected(IoSocket socket)
    {
        _receive = Loop.Port.Receive(socket, this);
        _receive.Buffer = _buffer;

        // An agent that reports these listeners of the relay shares its network.
        try
        {
            while (_testListeners.Count < TestListenerCount)
                _testListeners.Add(Loop.Port.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0)));
        }
        catch (IoException)
        {
            CloseTestListeners();
        }
    }

    protected override void Closed()
    {
        CloseTestListeners();
        if (!_isWanted || Loop.Port.IsStopping)
            return;

        if (_error is null)
        {
            // It was stopped and started again meanwhile.
            Connect();
            return;
        }

        Loop.Timers.Start(_retry, _retryMilliseconds);
        _retryMilliseconds = Math.Min(2 * _retryMilliseconds, LastRetryMilliseconds);
        _owner.AgentDown(_error, _isAnswer);
    }

    private void Connect()
    {
        _reader = new RpcReader(ListenerReport.MaxSize);
        _waiting = null;
        _error = null;
        _isAnswer = _hasReported = false;
        Open();
    }

    private void Receive()
    {
        _isReceiving = true;
        Loop.Timers.Start(_silence, SilenceMilliseconds);
        Loop.Start(_receive!);
    }

    private void Received(int count)
    {
        ReadOnlyMemory<byte> newest = default;
        try
        {
            _reader.Append(_buffer.AsSpan(0, count));
            while (_reader.TryRead(out ReadOnlyMemory<byte> message))
            {
                // Nil is a sign of life. Of several reports at once only the last counts.
                if (message.Span[0] != MessagePackCode.Nil)
                    newest = message;
            }
        }
        catch (RpcFormatException e)
        {
            Fail(RelayErrorCode.InvalidParams, e.Message);
            return;
        }

        long wait = count == BufferSize ? PauseMilliseconds : 0;
        if (!newest.IsEmpty)
        {
            _waiting = newest.ToArray();
            wait = Math.Max(_nextReport - Environment.TickCount64, 0);
        }

        if (wait > 0)
            Loop.Timers.Start(_pause, wait);
        else
            GoOn();
    }

    // Hands over what waits, and reads on: while a report waits nothing more is read.
    private void GoOn()
    {
        if (_waiting is { } report)
        {
            _waiting = null;
            _nextReport = Environment.TickCount64 + ReportMilliseconds;
            try
            {
                MessagePackReader reader = new(report);
                Report(ListenerReport.Read(ref reader));
            }
            catch (RelayException e)
            {
                Fail(e.Error.Kind, e.Message);
                return;
            }
        }

        // The owner may have stopped the watch meanwhile.
        if (!IsAborted)
            Receive();
    }

    private void Report(List<GuestListener> listeners)
    {
        if (!_hasReported)
        {
            _hasReported = true;
            _retryMilliseconds = FirstRetryMilliseconds;
            _sharesNetwork = _testListeners.Count > 0 && _testListeners.TrueForAll(own => listeners.Exists(listener => listener.Port == own.LocalPort && IPAddress.Loopback.Equals(listener.Address)));
            if (_sharesNetwork)
                listeners.RemoveAll(listener => _testListeners.Exists(own => own.LocalPort == listener.Port));

            CloseTestListeners();
        }

        _owner.Reported(listeners, _sharesNetwork);
    }

    private void Fail(RelayErrorCode code, string reason)
    {
        _error = new RelayError(code, reason);
        Abort();
        CloseIfEnded();
    }

    private void CloseTestListeners()
    {
        _testListeners.ForEach(static own => own.Close(abort: false));
        _testListeners.Clear();
    }
}
