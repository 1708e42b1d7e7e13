using System.Net;
using System.Text;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The relay's connection to the agent that watches the guest's listeners (protocol, section 8), made again for as long as it is wanted. An agent costs no more than
/// one report in memory and one every 250 ms to read, whatever it sends. Loop thread only.
/// </summary>
internal sealed class AgentWatch : IIoOwner
{
    private const int ReportMilliseconds = 250;
    private const int SilenceMilliseconds = 30_000;
    private const int FirstRetryMilliseconds = 100;
    private const int LastRetryMilliseconds = 5000;
    private const int BufferSize = 16 * 1024;

    // After a full buffer: no agent has more to say for long.
    private const int PauseMilliseconds = 10;

    // Two: a guest with a network of its own might have one of these ports open by chance, but hardly both.
    private const int Marks = 2;

    private static readonly PortMapping AnyMapping = new(0, 1);

    private readonly PortTable _table;
    private readonly AutoMapper _owner;
    private readonly ConnectOperation _connect;
    private readonly ActionTimer _deadline;
    private readonly ActionTimer _pause;
    private readonly ActionTimer _retry;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);
    private readonly List<IoSocket> _marks = [];
    private IoOperation? _running;
    private IoSocket? _socket;
    private TransferOperation? _send;
    private TransferOperation? _receive;
    private RpcReader _reader = new(ListenerReport.MaxSize);
    private byte[]? _waiting;
    private bool _isWanted;
    private bool _udp;
    private bool _isRestarted;
    private bool _preambleSent;
    private bool _isAnswered;
    private bool _hasReported;
    private bool _sharesNetwork;
    private int _lineLength;
    private int _attempts;
    private int _retryMilliseconds = FirstRetryMilliseconds;
    private long _nextReport;

    internal AgentWatch(PortTable table, AutoMapper owner)
    {
        _table = table;
        _owner = owner;
        _connect = table.Loop.Port.Connect(default, this);
        _deadline = new ActionTimer(() => _running?.Cancel(IoError.TimedOut));
        _pause = new ActionTimer(GoOn);
        _retry = new ActionTimer(Begin);
    }

    public void Completed(IoOperation operation)
    {
        _running = null;
        _table.Loop.Timers.Stop(_deadline);
        if (operation == _connect)
            _socket = _connect.Socket;

        bool isRestarted = _isRestarted;
        _isRestarted = false;
        if (!_isWanted || isRestarted || operation.Error == IoError.Cancelled)
        {
            EndAttempt();
            if (isRestarted)
                Begin();
        }
        else if (operation.Error != IoError.None)
            Failed(operation);
        else if (operation == _connect)
            Connected();
        else if (operation == _send)
            Run(_receive!, _preambleSent ? _buffer : _buffer.AsMemory(_lineLength, 1));
        else if (_receive!.BytesTransferred == 0)
            Fail(RelayErrorCode.ConnectionRefused, "the agent's side closed the connection");
        else if (_preambleSent)
            Received(_receive.BytesTransferred);
        else
            ReadLine();
    }

    /// <param name="udp">Whether ports where datagrams are received are of interest too.</param>
    internal void Start(bool udp)
    {
        if (_isWanted && _udp == udp)
            return;

        if (_isWanted)
            Stop();

        _udp = udp;

        _isWanted = true;
        _retryMilliseconds = FirstRetryMilliseconds;

        // What runs still was cancelled by the stop before.
        _isRestarted = _running is not null;
        if (!_isRestarted)
            Begin();
    }

    internal void Stop()
    {
        _isWanted = _isRestarted = false;
        _table.Loop.Timers.Stop(_retry);
        if (_running is null)
            EndAttempt();
        else
            _running.Cancel();
    }

    private void Begin()
    {
        _reader = new RpcReader(ListenerReport.MaxSize);
        _preambleSent = _isAnswered = _hasReported = false;
        _lineLength = _attempts = 0;
        ConnectToNextAddress();
    }

    private void ConnectToNextAddress()
    {
        _connect.Endpoint = _table.Target.For(AnyMapping, _attempts++);
        Run(_connect);
    }

    private void Run(IoOperation operation, int milliseconds)
    {
        _running = operation;
        _table.Loop.Timers.Start(_deadline, milliseconds);
        _table.Loop.Start(operation);
    }

    private void Run(IoOperation operation) => Run(operation, _isAnswered ? SilenceMilliseconds : _table.SetUpTimeout);

    private void Run(TransferOperation operation, Memory<byte> buffer)
    {
        operation.Buffer = buffer;
        Run(operation);
    }

    private void Connected()
    {
        // Listeners of this relay: an agent that reports them shares its network.
        try
        {
            while (_marks.Count < Marks)
                _marks.Add(_table.Loop.Port.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0)));
        }
        catch (IoException)
        {
            CloseMarks();
        }

        _send = _table.Loop.Port.Send(_socket!, this);
        _receive = _table.Loop.Port.Receive(_socket!, this);
        if (_table.Preamble.ConnectLine.IsEmpty)
            SendPreamble();
        else
            Run(_send, _table.Preamble.ConnectLine);
    }

    private void SendPreamble()
    {
        _preambleSent = true;
        Run(_send!, SetUp.Encode(ListenerReport.WritePreamble, _udp));
    }

    private void ReadLine()
    {
        byte last = _buffer[_lineLength++];
        if (last != (byte)'\n' && _lineLength < HostSetUp.MaxLine)
            Run(_receive!, _buffer.AsMemory(_lineLength, 1));
        else if (HostSetUp.IsOk(_buffer.AsSpan(0, _lineLength)))
            SendPreamble();
        else
            Fail(RelayErrorCode.ConnectionRefused, $"the hybrid vsock answered '{Encoding.ASCII.GetString(_buffer, 0, _lineLength).Trim()}', not OK");
    }

    private void Received(int count)
    {
        ReadOnlyMemory<byte> newest = default;
        try
        {
            _reader.Append(_buffer.AsSpan(0, count));
            while (_reader.TryRead(out ReadOnlyMemory<byte> message))
            {
                bool isNil = message.Span[0] == MessagePackCode.Nil;
                if (!_isAnswered && !isNil)
                {
                    MessagePackReader answer = new(message);
                    Fail(WireFormat.ReadError(ref answer), isAnswer: true);
                    return;
                }

                if (!_isAnswered)
                {
                    _isAnswered = true;
                    _owner.AgentUp();
                }

                // Of several at once only the last counts.
                if (!isNil)
                    newest = message;
            }
        }
        catch (Exception e) when (e is RpcFormatException or RelayException)
        {
            Fail(RelayErrorCode.InvalidParams, e.Message);
            return;
        }

        // The owner has stopped the watch meanwhile, and nothing runs.
        if (!_isWanted)
            return;

        long wait = count == BufferSize ? PauseMilliseconds : 0;
        if (!newest.IsEmpty)
        {
            _waiting = newest.ToArray();
            wait = Math.Max(_nextReport - Environment.TickCount64, 0);
        }

        if (wait > 0)
            _table.Loop.Timers.Start(_pause, wait);
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
                Fail(e.Error, isAnswer: false);
                return;
            }
        }

        if (_isWanted)
            Run(_receive!, _buffer);
    }

    private void Report(List<GuestListener> listeners)
    {
        if (!_hasReported)
        {
            _hasReported = true;
            _retryMilliseconds = FirstRetryMilliseconds;
            _sharesNetwork = _marks.Count > 0 && _marks.TrueForAll(mark => listeners.Exists(listener => listener.Port == mark.LocalPort && IPAddress.Loopback.Equals(listener.Address)));
            if (_sharesNetwork)
                listeners.RemoveAll(listener => _marks.Exists(mark => mark.LocalPort == listener.Port));

            CloseMarks();
        }

        _owner.Reported(listeners, _sharesNetwork);
    }

    private void Failed(IoOperation operation)
    {
        if (operation == _connect && _attempts < _table.Target.AddressCount(AnyMapping))
        {
            ConnectToNextAddress();
            return;
        }

        if (operation == _connect)
            _table.Target.LookUpAgain(_table.Loop);

        Fail(operation.Error.ToErrorCode(), operation == _connect ? $"{_connect.Endpoint}: {operation.Error.Describe(operation.NativeError)}"
            : operation.Error == IoError.TimedOut ? "the agent does not answer any more"
            : "the agent is gone: its connection was reset");
    }

    private void Fail(RelayErrorCode code, string reason) => Fail(new RelayError(code, reason), isAnswer: false);

    private void Fail(RelayError error, bool isAnswer)
    {
        EndAttempt();
        if (_isWanted)
        {
            _table.Loop.Timers.Start(_retry, _retryMilliseconds);
            _retryMilliseconds = Math.Min(2 * _retryMilliseconds, LastRetryMilliseconds);
            _owner.AgentDown(error, isAnswer);
        }
    }

    private void EndAttempt()
    {
        _table.Loop.Timers.Stop(_pause);
        _waiting = null;
        CloseMarks();
        _socket?.Close(abort: true);
        _socket = null;
    }

    private void CloseMarks()
    {
        _marks.ForEach(static mark => mark.Close(abort: false));
        _marks.Clear();
    }
}
