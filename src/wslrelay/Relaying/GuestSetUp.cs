using System.Net;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Sets up a connection that the agent has accepted: reads the preamble, connects to the server, answers, passes on what came along with the
/// preamble (protocol, section 3). A relay that is refused is told why; what it still sends is read and dropped for a while, so that the
/// answer is not lost to a reset. Loop thread only.
/// </summary>
internal sealed class GuestSetUp : SetUp
{
    internal static readonly byte[] Nil = Pinned([MessagePackCode.Nil]);
    private static readonly byte[] Ends = Pinned([MessagePackCode.MinFixMap + 1, MessagePackCode.MinFixStr + 4, .. "ends"u8, MessagePackCode.True]);

    private readonly GuestAgent _agent;
    private readonly SetUpPool<GuestSetUp> _pool;
    private readonly ConnectOperation _connect;
    private readonly MessageScanner _scanner = new(BufferSize);
    private TransferOperation? _receive;
    private TransferOperation? _answer;
    private TransferOperation? _pass;
    private TransferOperation? _first;
    private GuestPreamble _preamble;

    // What was read last: mostly the next is the same.
    private byte[] _knownBytes = [];
    private GuestPreamble _known;
    private int _received;
    private int _preambleEnd;
    private bool _refused;
    private bool _triedIPv6;

    // The relay has what it asked for.
    private bool _hasPassed;

    internal GuestSetUp(GuestAgent agent, IoLoop loop, SetUpPool<GuestSetUp> pool)
    {
        _agent = agent;
        _pool = pool;
        _connect = loop.Port.Connect(default, this);
    }

    private IPAddress Loopback => _preamble.Family == 6 ? IPAddress.IPv6Loopback : _agent.Loopback;

    private bool Passes => _preamble.Pass && _agent.CanPass && _received == _preambleEnd;

    private bool HasIPv6Next => _preamble.Family == 0 && !_triedIPv6;

    private bool MarksEnds => _preamble.Ends && _agent.CanMarkEnds;

    private int SpareCount => _agent.GivesSpares && !_triedIPv6 ? _preamble.Spare : 0;

    protected override void Begin()
    {
        _receive ??= Relay.Loop.Port.Receive(Relay.Client!, this);
        _receive.Handle = Relay.Client!;
        SetDeadline(_agent.SetUpTimeout);
        Run(_receive, Buffer);
    }

    protected override void Advance(IoOperation operation)
    {
        if (operation == _connect)
            Connected();
        else if (operation == _pass)
            Passed();
        else if (operation == _answer)
            Answered();
        else if (operation != _receive)
            Succeed(); // What came along with the preamble has been sent.
        else if (_refused)
            Drop();
        else if (_hasPassed)
            Relay.EndSetUp();
        else
            ReadPreamble();
    }

    protected override void Failed(IoOperation operation)
    {
        // The answer has been sent, or cannot be.
        if (_refused)
            return;

        if (operation == _pass && operation.Error is not (IoError.Cancelled or IoError.TimedOut or IoError.Reset))
        {
            // A sandbox, or too many descriptors on their way: the agent stays in the path.
            if (Relay.Loop.Port.Adopt(Relay.Target!))
                Accept();
            else
                Relay.Abort();
        }
        else if (operation == _receive && operation.Error == IoError.TimedOut)
        {
            Refuse(RelayErrorCode.InvalidParams, $"the preamble is not complete after {_agent.SetUpTimeout / 1000.0:0.#} seconds");
        }
        else if (operation == _connect && operation.Error is not (IoError.Cancelled or IoError.TimedOut) && HasIPv6Next)
        {
            _triedIPv6 = true;
            Connect(IPAddress.IPv6Loopback);
        }
        else if (operation == _connect && operation.Error != IoError.Cancelled)
        {
            Refuse(operation.Error.ToErrorCode(), $"{_connect.Endpoint} in the guest: {operation.Error.Describe(operation.NativeError)}");
        }
        else if (operation != _pass && Relay.Target is not null && operation.Error == IoError.Reset)
        {
            // One side is gone already. Goes on as if this had succeeded: the pumps deliver what it had sent, and then pass the reset on.
            Advance(operation);
        }
        else
        {
            Relay.Abort();
        }
    }

    protected override void OnReleased()
    {
        _scanner.Reset();
        _preamble = default;
        _received = _preambleEnd = 0;
        _refused = _triedIPv6 = _hasPassed = false;
        _pool.Return(this);
    }

    private void ReadPreamble()
    {
        ReadOnlySpan<byte> piece = Buffer.AsSpan(_received, _receive!.BytesTransferred);
        ScanStatus status = _scanner.Scan(piece, out int consumed);
        _preambleEnd = _received + consumed;
        _received += piece.Length;
        if (piece.IsEmpty)
            Refuse(RelayErrorCode.InvalidParams, "the preamble ends before it is complete");
        else if (status == ScanStatus.NeedMore)
            Run(_receive, Buffer.AsMemory(_received));
        else if (status != ScanStatus.Complete)
            Refuse(RelayErrorCode.InvalidParams, status == ScanStatus.TooLarge ? $"the preamble is over {GuestPreamble.MaxSize} bytes" : "the preamble is not MessagePack");
        else
            Connect();
    }

    private void Connect()
    {
        try
        {
            _preamble = Parse(Buffer.AsSpan(0, _preambleEnd));
        }
        catch (RelayException e)
        {
            Refuse(e.Error);
            return;
        }

        if (_preamble.Watch)
        {
            _agent.Listeners.Add(Relay.Loop, Relay.TakeClient(), udp: _preamble.Protocol == MapProtocol.Udp);
            return;
        }

        if (_preamble.Protocol == MapProtocol.Udp)
        {
            ConnectDatagrams();
            return;
        }

        Connect(Loopback);
    }

    private GuestPreamble Parse(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.SequenceEqual(_knownBytes))
        {
            byte[] copy = bytes.ToArray();
            MessagePackReader reader = new(copy);
            _known = GuestPreamble.Read(ref reader);
            _knownBytes = copy;
        }

        return _known;
    }

    private void Connect(IPAddress address)
    {
        SetDeadline(_agent.SetUpTimeout);
        _connect.Endpoint = IoEndpoint.Tcp(address, _preamble.Port);
        _connect.IsToPass = Passes;
        Run(_connect);
    }

    private void ConnectDatagrams()
    {
        IoEndpoint server = IoEndpoint.Udp(_triedIPv6 ? IPAddress.IPv6Loopback : Loopback, _preamble.Port);
        try
        {
            Relay.Target = Relay.Loop.Port.ConnectDatagrams(server);
            Answer(Nil);
        }
        catch (IoException) when (HasIPv6Next)
        {
            _triedIPv6 = true;
            ConnectDatagrams();
        }
        catch (IoException e)
        {
            Refuse(e.Error.ToErrorCode(), $"{server} in the guest: {e.Error.Describe(e.NativeError)}");
        }
    }

    private void Connected()
    {
        if (Passes)
            Send(ref _pass, Relay.Client!, Nil, attached: Relay.Target, SpareCount);
        else
            Accept();
    }

    // The relay has the server's socket: closing it here ends nothing there. One that got spare sockets knows by this connection's end that the agent has ended.
    private void Passed()
    {
        if (SpareCount == 0)
        {
            Relay.EndSetUp();
            return;
        }

        _hasPassed = true;
        Relay.Target!.Close(abort: false);
        Relay.Target = null;
        Relay.Loop.Timers.Stop(this);
        Run(_receive!, Buffer);
    }

    private void Accept() => Answer(MarksEnds ? Ends : Nil);

    private void Answer(byte[] answer) => Send(ref _answer, Relay.Client!, answer);

    private void Answered()
    {
        if (_refused)
        {
            if (Relay.Client!.ShutdownSend())
                Run(_receive!, Buffer);
        }
        else if (_preamble.Protocol == MapProtocol.Udp)
        {
            IoSocket server = Relay.Target!;
            Relay.Target = null;
            new GuestFlow(Relay.Loop, Relay.TakeClient(), server, HasIPv6Next ? _preamble.Port : 0).Start(Buffer.AsSpan(_preambleEnd, _received - _preambleEnd));
        }
        else if (_received > _preambleEnd)
        {
            // The server gets the client's first bytes before all others.
            Send(ref _first, Relay.Target!, Buffer.AsMemory(_preambleEnd, _received - _preambleEnd));
        }
        else
        {
            Succeed();
        }
    }

    private void Succeed()
    {
        Relay.PumpToClient(MarksEnds ? ChunkMode.Write : ChunkMode.None);
        Relay.PumpToTarget();
        Relay.EndSetUp();
    }

    private void Refuse(RelayErrorCode code, string message) => Refuse(new RelayError(code, message));

    private void Refuse(RelayError error)
    {
        _refused = true;
        _agent.Log.GuestFailed(error.Name, _preamble.Client is { } client ? $"{error.Message} (client {client})" : error.Message);
        SetDeadline(_agent.RefusalTimeout);
        Answer(Encode(WireFormat.WriteError, error));
    }

    private void Drop()
    {
        if (_receive!.BytesTransferred > 0)
            Run(_receive);
    }
}
