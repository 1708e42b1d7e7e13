using System.Globalization;
using System.Net;
using System.Text;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Sets up a connection that was accepted on a host port: connects to the target and, where that is an agent, sends the preamble and reads
/// the answer (protocol, section 3). The client's bytes follow the preamble without waiting for the answer, except where the agent may pass the server's
/// socket: then that takes the place of the connection to the agent. With a spare socket the agent is asked only if that fails. Loop thread only.
/// </summary>
internal sealed class HostSetUp : SetUp
{
    // On loopback a connection is made at once or refused. A lost segment is sent again after a second only: the agent is asked before.
    private const int SpareTimeout = 200;

    // Of a hybrid vsock's answer.
    private const int MaxLine = 64;

    // HRESULT_FROM_WIN32(ERROR_CANCELLED): no request of a parent gets it.
    private const int Cancelled = unchecked((int)0x800704C7);

    private readonly PortTable _table;
    private readonly SetUpPool<HostSetUp> _pool;
    private readonly ConnectOperation _connect;
    private TransferOperation? _send;
    private TransferOperation? _receive;
    private RpcReader? _answer;
    private bool _preambleSent;

    // The server is connected to from here, by a spare socket.
    private bool _isSpare;

    // Where those go that this connection's preamble asks for.
    private SpareSockets? _asked;

    // Of the header that is sent on its own, once nothing but the server is to be waited for.
    private bool _headerSent;
    private ChunkMode _chunks;
    private int _lineLength;
    private int _attempts;
    private long _deadline;

    internal HostSetUp(PortTable table, IoLoop loop, SetUpPool<HostSetUp> pool)
    {
        _table = table;
        _pool = pool;
        _connect = loop.Port.Connect(default, this);
    }

    /// <summary>The mapping of the present connection.</summary>
    internal PortRoute Listener { get; set; } = null!;

    /// <summary>The agent has said something else than nil: the error is its own.</summary>
    internal bool HasAnswer => _answer is not null;

    private bool OffersPass => _table.Preamble.OffersPass && Listener.Mapping.Protocol == MapProtocol.Tcp;

    private bool OffersEnds => _table.Preamble.OffersEnds && Listener.Mapping.Protocol == MapProtocol.Tcp;

    private bool HasNextAddress => _attempts < _table.Target.AddressCount(Listener.Mapping);

    private bool SendsHeader => Listener.Mapping.Proxy != 0;

    // Not for one whose client the agent is to know, nor for a probe, which has no client and asks whether the agent is there.
    private SpareSockets? Spares =>
        OffersPass && !SendsHeader && Relay.Client is not null ? _table.SparesOf(Relay.Loop, Listener.Mapping.GuestFamily) : null;

    protected override void Begin()
    {
        SpareSockets? spares = Spares;
        spares?.CheckAgent();
        if (spares is not null && Relay.Loop.Port.HasHandlesToSpare(Relay.Client!) && spares.TryBeginAsking())
            _asked = spares;

        if (_asked is null && spares?.Take() is { } spare)
            ConnectSpare(spare);
        else
            ConnectToTarget();
    }

    protected override void Advance(IoOperation operation)
    {
        if (operation == _connect)
            Connected();
        else if (operation == _send)
            Sent();
        else if (_receive!.BytesTransferred == 0)
            Fail(RelayErrorCode.ConnectionRefused, "the agent's side closed the connection without an answer");
        else if (_preambleSent)
            ReadAnswer(_receive.Buffer.Span[.._receive.BytesTransferred]);
        else
            ReadLine();
    }

    protected override void Failed(IoOperation operation)
    {
        bool isAborted = Relay.IsAborted || operation.Error == IoError.Cancelled;
        if (_isSpare && !isAborted)
        {
            // What is wrong the agent says, or it knows another way.
            _isSpare = false;
            ConnectToTarget();
            return;
        }

        if (operation == _connect && !isAborted)
        {
            if (HasNextAddress)
            {
                ConnectToNextAddress();
                return;
            }

            _table.Target.LookUpAgain(_table.Loop);
        }

        if (operation == _send && _headerSent && !isAborted && operation.Error == IoError.Reset)
            Succeed(_chunks); // The pumps deliver what the server had sent, and then pass the reset on.
        else if (operation.Error is IoError.Cancelled or IoError.None)
            Fail(new RelayError(Cancelled, "Cancelled", "it was ended before it was set up"));
        else
            Fail(operation.Error.ToErrorCode(), Describe(operation));
    }

    protected override void OnReleased()
    {
        _receive?.DropAttached();
        _asked?.EndAsking(agent: null);
        _asked = null;
        _answer = null;
        _preambleSent = _isSpare = _headerSent = false;
        _lineLength = _attempts = 0;
        _pool.Return(this);
    }

    private void ConnectSpare(IoSocket spare)
    {
        PortMapping mapping = Listener.Mapping;
        _isSpare = true;
        _connect.Endpoint = IoEndpoint.Tcp(mapping.GuestFamily == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, mapping.GuestPort);
        _connect.Unconnected = spare;
        SetDeadline(SpareTimeout);
        Run(_connect);
    }

    private void ConnectToTarget()
    {
        _deadline = Environment.TickCount64 + _table.SetUpTimeout;
        ConnectToNextAddress();
    }

    private void ConnectToNextAddress()
    {
        _connect.Endpoint = _table.Target.For(Listener.Mapping, _attempts++);
        _connect.IsOfFlow = Relay is Flow;

        // The loop that listens keeps what may lead to itself.
        if (Relay.Loop == _table.Loop && Listener.IsOwnPort(_connect.Endpoint))
        {
            if (HasNextAddress)
            {
                ConnectToNextAddress();
                return;
            }

            Fail(RelayErrorCode.ConnectionRefused, "the target is a port of this relay itself");
            return;
        }

        // Each address that is left gets its share of the time.
        long left = Math.Max(_deadline - Environment.TickCount64, 0);
        SetDeadline((int)(left / Math.Max(_table.Target.AddressCount(Listener.Mapping) - _attempts + 1, 1)));
        Run(_connect);
    }

    private void Connected()
    {
        if (!_table.Preamble.HasAgent || _isSpare)
        {
            Succeed();
            return;
        }

        // The agent has a further ten seconds to answer.
        SetDeadline(_table.SetUpTimeout);
        _receive ??= _table.Preamble.OffersPass ? Relay.Loop.Port.ReceiveSocket(Relay.Target!, this) : Relay.Loop.Port.Receive(Relay.Target!, this);
        _receive.Handle = Relay.Target!;
        _receive.Spares = _asked?.Sockets;
        if (_table.Preamble.ConnectLine.IsEmpty)
            SendPreamble();
        else
            Send(ref _send, Relay.Target!, _table.Preamble.ConnectLine);
    }

    private void SendPreamble()
    {
        _preambleSent = true;
        Send(ref _send, Relay.Target!, SendsHeader ? PreambleOfClient() : _asked is { } spares ? _table.Preamble.For(Listener.Mapping, spares.AskedCount) : Listener.Preamble);
    }

    // With the header behind it, unless the agent may pass the server's socket, to which the header then goes.
    private Memory<byte> PreambleOfClient()
    {
        Memory<byte> preamble = _table.Preamble.For(Listener.Mapping, client: Relay.ClientEndPoint?.ToString());
        preamble.CopyTo(Buffer);
        return Buffer.AsMemory(0, preamble.Length + (OffersPass ? 0 : WriteHeader(Buffer.AsSpan(preamble.Length))));
    }

    private int WriteHeader(Span<byte> to) => ProxyHeader.Write(Relay.ClientEndPoint, Relay.Client?.LocalEndPoint, to);

    private void SendHeader()
    {
        _headerSent = true;
        Send(ref _send, Relay.Target!, Buffer.AsMemory(0, WriteHeader(Buffer)));
    }

    private void Sent()
    {
        if (_headerSent)
        {
            Succeed(_chunks);
            return;
        }

        if (!_preambleSent)
        {
            ReadByteOfLine();
            return;
        }

        if (!OffersPass)
            Relay.PumpToTarget();

        if (_table.Preamble.ExpectsAnswer)
        {
            // One byte is enough for the usual answer, and leaves the server's bytes behind it where they are.
            Run(_receive!, Buffer.AsMemory(0, 1));
        }
        else
        {
            Succeed();
        }
    }

    private void ReadByteOfLine() => Run(_receive!, Buffer.AsMemory(_lineLength, 1));

    private void ReadLine()
    {
        byte last = Buffer[_lineLength++];
        if (last != (byte)'\n' && _lineLength < MaxLine)
            ReadByteOfLine();
        else if (IsOk(Buffer.AsSpan(0, _lineLength)))
            SendPreamble();
        else
            Fail(RelayErrorCode.ConnectionRefused, $"the hybrid vsock answered '{Encoding.ASCII.GetString(Buffer, 0, _lineLength).Trim()}', not OK");
    }

    // "OK", a space, a number of 32 bits and a newline (Firecracker's docs/vsock.md).
    private static bool IsOk(ReadOnlySpan<byte> line) =>
        line.StartsWith("OK "u8) && !line[3..^1].ContainsAnyExceptInRange((byte)'0', (byte)'9')
        && uint.TryParse(line[3..^1], NumberStyles.None, CultureInfo.InvariantCulture, out _) && line[^1] == (byte)'\n';

    private void ReadAnswer(ReadOnlySpan<byte> bytes)
    {
        if (_answer is null && bytes[0] == MessagePackCode.Nil)
        {
            TakeServer();
            return;
        }

        try
        {
            _answer ??= new RpcReader();
            _answer.Append(bytes);
            if (!_answer.TryRead(out ReadOnlyMemory<byte> answer))
            {
                // Not a byte of the chunks that may follow the answer.
                Run(_receive!, Buffer.AsMemory(0, Math.Min(_answer.Missing, BufferSize)));
                return;
            }

            MessagePackReader reader = new(answer);
            if (OffersEnds && MapFields.Read(ref reader, "the answer").Boolean("ends"))
            {
                Succeed(ChunkMode.Read);
                return;
            }

            reader = new MessagePackReader(answer);
            Fail(WireFormat.ReadError(ref reader));
        }
        catch (Exception e) when (e is RpcFormatException or RelayException)
        {
            _answer = null;
            string problem = e is RpcFormatException broken ? broken.Reason.ToString() : e.Message;
            Fail(RelayErrorCode.InvalidParams, $"the agent's answer is neither nil nor an error: {problem}");
        }
    }

    // If the agent has passed the server's socket, it takes the place of the connection to the agent.
    private void TakeServer()
    {
        if (_receive!.TakeAttached() is { } server)
        {
            LeaveAgent();
            Relay.Target = server;
            if (!TryAdopt(server))
                return;
        }

        Succeed();
    }

    // The connection to the agent is none of this client's any more.
    private void LeaveAgent()
    {
        if (_asked is null)
            Relay.Target!.Close(abort: false);
        else
            _asked.EndAsking(Relay.Target);

        _asked = null;
    }

    private void Succeed(ChunkMode chunks = ChunkMode.None)
    {
        if (SendsHeader && !_headerSent && (!_preambleSent || OffersPass))
        {
            _chunks = chunks;
            SendHeader();
            return;
        }

        if (OffersPass && Relay.Client is { } client && !TryAdopt(client))
            return;

        // In this order: what a server said before it broke needs somebody to carry it.
        Relay.PumpToClient(chunks);
        if (!_preambleSent || OffersPass)
            Relay.PumpToTarget();

        Relay.EndSetUp();
    }

    private bool TryAdopt(IoSocket socket)
    {
        bool isAdopted = Relay.Loop.Port.Adopt(socket);
        if (!isAdopted)
            Fail(RelayErrorCode.TooManyOpenFiles, "the system cannot wait for the connection's sockets");

        return isAdopted;
    }

    private void Fail(RelayErrorCode code, string reason) => Fail(new RelayError(code, reason));

    private void Fail(RelayError error)
    {
        // The target is the agent, also of a client that was to reach the server without it.
        IoEndpoint target = _isSpare ? _table.Target.For(Listener.Mapping) : _connect.Endpoint;
        if (Relay.Loop == _table.Loop)
            Listener.ConnectionFailed(Relay, target, error);
        else
            PostFailure(Listener, target, error);

        Relay.Abort();
    }

    private void PostFailure(PortRoute listener, IoEndpoint target, RelayError error)
    {
        FormerClient client = new(Relay.ClientEndPoint);
        _table.Loop.Post(() => listener.ConnectionFailed(client, target, error));
    }

    private string Describe(IoOperation operation) => operation.Error == IoError.TimedOut
        ? $"no answer within {_table.SetUpTimeout / 1000.0:0.#} seconds; is it running, and does a firewall let this through?"
        : operation.Error.Describe(operation.NativeError);
}
