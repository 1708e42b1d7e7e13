using System.Buffers;
using System.Net;
using RelayProtocol;
using RelayProtocol.MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One connection from the relay, at the agent: reads the preamble, connects to the server, answers, and pumps (protocol, section 3). A relay that
/// is refused is told why; what it still sends is read and dropped for a while, so that the answer is not lost to a reset. Loop thread only.
/// </summary>
internal sealed class GuestRelay(GuestAgent agent, IoSocket relay) : Relay(relay)
{
    private static readonly byte[] NilAnswer = PinnedNil();

    // All that is needed until both pumps run, and nothing after: an idle connection holds none of it.
    private SetUp? _setUp;

    /// <inheritdoc/>
    protected override IoLoop Loop => agent.Loop;

    /// <summary>Begins to read the preamble.</summary>
    public void Start()
    {
        _setUp = new SetUp(this, agent.Buffers.Rent(), Loop.Port.Receive(Client, this));
        Loop.Timers.Start(_setUp, agent.SetUpTimeout);
        RunToTarget(_setUp.Receive);
    }

    /// <inheritdoc/>
    protected override void Advance(IoOperation operation)
    {
        if (operation is ConnectOperation connect)
        {
            Target = connect.Socket;
            Connected(_setUp!);
        }
        else if (operation == _setUp!.Answer)
        {
            Answered(_setUp);
        }
        else if (operation == _setUp.FirstBytes)
        {
            _setUp.FirstBytes = null;
            PumpToTarget(agent.ToServers);
            EndSetUp(_setUp);
        }
        else if (_setUp.IsRefused)
        {
            Drop(_setUp);
        }
        else
        {
            ReadPreamble(_setUp);
        }
    }

    /// <inheritdoc/>
    protected override void OnFailed(IoOperation operation)
    {
        if (_setUp is { IsRefused: true })
        {
            // Nothing more to be told or dropped: what was said has been said.
            return;
        }

        if (operation == _setUp?.Receive && operation.Error == IoError.TimedOut)
        {
            Refuse(RelayErrorCode.InvalidParams, $"the preamble is not complete after {agent.SetUpTimeout / 1000.0:0.#} seconds");
        }
        else if (operation is ConnectOperation && operation.Error != IoError.Cancelled)
        {
            RelayErrorCode code = operation.Error.ToErrorCode();
            Refuse(code, $"port {_setUp!.Preamble.Port} of the guest: {(operation.Error == IoError.ConnectionRefused ? "nothing listens there" : operation.Error)}");
        }
        else
        {
            Break();
        }
    }

    /// <inheritdoc/>
    protected override void OnClosed()
    {
        if (_setUp is not null)
        {
            Release(_setUp);
        }
    }

    private static byte[] PinnedNil()
    {
        byte[] nil = GC.AllocateUninitializedArray<byte>(1, pinned: true);
        nil[0] = MessagePackCode.Nil;
        return nil;
    }

    private void ReadPreamble(SetUp setUp)
    {
        ReadOnlySpan<byte> piece = setUp.Buffer.AsSpan(setUp.Received, setUp.Receive.BytesTransferred);
        ScanStatus status = setUp.Scanner.Scan(piece, out int consumed);
        setUp.PreambleEnd = setUp.Received + consumed;
        setUp.Received += piece.Length;
        if (piece.IsEmpty)
        {
            Refuse(RelayErrorCode.InvalidParams, "the preamble ends before it is complete");
        }
        else if (status == ScanStatus.NeedMore)
        {
            setUp.Receive.Buffer = setUp.Buffer.AsMemory(setUp.Received);
            RunToTarget(setUp.Receive);
        }
        else if (status != ScanStatus.Complete)
        {
            Refuse(RelayErrorCode.InvalidParams, status == ScanStatus.TooLarge ? $"the preamble is over {GuestPreamble.MaxSize} bytes" : "the preamble is not MessagePack");
        }
        else
        {
            ConnectToServer(setUp);
        }
    }

    private void ConnectToServer(SetUp setUp)
    {
        try
        {
            MessagePackReader reader = new(setUp.Buffer.AsMemory(0, setUp.PreambleEnd));
            setUp.Preamble = GuestPreamble.Read(ref reader);
        }
        catch (RelayException e)
        {
            Refuse(e.Error);
            return;
        }

        Loop.Timers.Start(setUp, agent.SetUpTimeout);
        IPAddress loopback = setUp.Preamble.Family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        RunToTarget(Loop.Port.Connect(IoEndpoint.Tcp(loopback, setUp.Preamble.Port), this));
    }

    private void Connected(SetUp setUp)
    {
        Loop.Timers.Stop(setUp);
        setUp.Answer = Loop.Port.Send(Client, this);
        setUp.Answer.Buffer = NilAnswer;
        RunToClient(setUp.Answer);
        if (setUp.Received == setUp.PreambleEnd)
        {
            PumpToTarget(agent.ToServers);
            return;
        }

        // The client's first bytes came along with the preamble: the server gets them before all others.
        setUp.FirstBytes = Loop.Port.Send(Target!, this);
        setUp.FirstBytes.Buffer = setUp.Buffer.AsMemory(setUp.PreambleEnd, setUp.Received - setUp.PreambleEnd);
        RunToTarget(setUp.FirstBytes);
    }

    private void Answered(SetUp setUp)
    {
        setUp.Answer = null;
        if (!setUp.IsRefused)
        {
            PumpToClient(agent.FromServers);
            EndSetUp(setUp);
        }
        else if (Client.ShutdownSend())
        {
            setUp.Receive.Buffer = setUp.Buffer;
            RunToTarget(setUp.Receive);
        }
    }

    private void Refuse(RelayErrorCode code, string message) => Refuse(new RelayError(code, message));

    private void Refuse(RelayError error)
    {
        SetUp setUp = _setUp!;
        setUp.IsRefused = true;
        agent.Log.GuestFailed(setUp.Preamble.Port, error.Name, error.Message);
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        WireFormat.WriteError(ref writer, error);
        writer.Flush();
        byte[] pinned = GC.AllocateUninitializedArray<byte>(bytes.WrittenCount, pinned: true);
        bytes.WrittenSpan.CopyTo(pinned);
        setUp.Answer = Loop.Port.Send(Client, this);
        setUp.Answer.Buffer = pinned;
        Loop.Timers.Start(setUp, agent.RefusalTimeout);
        RunToClient(setUp.Answer);
    }

    private void Drop(SetUp setUp)
    {
        if (setUp.Receive.BytesTransferred > 0)
        {
            RunToTarget(setUp.Receive);
        }
    }

    private void EndSetUp(SetUp setUp)
    {
        if (setUp.Answer is null && setUp.FirstBytes is null)
        {
            Release(setUp);
            _setUp = null;
        }
    }

    private void Release(SetUp setUp)
    {
        Loop.Timers.Stop(setUp);
        agent.Buffers.Return(setUp.Buffer);
    }

    // Also the deadline: ten seconds for the preamble, ten for the server, five for what is dropped after a refusal.
    private sealed class SetUp(GuestRelay relay, byte[] buffer, TransferOperation receive) : IoTimer
    {
        internal byte[] Buffer { get; } = buffer;

        internal TransferOperation Receive { get; } = Aimed(receive, buffer);

        internal MessageScanner Scanner { get; } = new(buffer.Length);

        internal TransferOperation? Answer { get; set; }

        internal TransferOperation? FirstBytes { get; set; }

        internal GuestPreamble Preamble { get; set; }

        internal int Received { get; set; }

        internal int PreambleEnd { get; set; }

        internal bool IsRefused { get; set; }

        protected internal override void OnExpired() => relay.Abort(IoError.TimedOut);

        private static TransferOperation Aimed(TransferOperation receive, byte[] buffer)
        {
            receive.Buffer = buffer;
            return receive;
        }
    }
}
