using System.Text;
using RelayProtocol;
using RelayProtocol.MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The relay's side of meeting the guest agent on one connection (protocol, section 3): for Firecracker its CONNECT line and the OK, then
/// the greeting, then the answer. Names the next operation; its owner runs it. Loop thread only.
/// </summary>
internal sealed class GuestGreeting
{
    private const int MaxLine = 64;

    private readonly BufferPool _buffers;
    private readonly TransferOperation _send;
    private readonly TransferOperation _receive;
    private readonly Memory<byte> _greeting;
    private readonly bool _expectsAnswer;
    private byte[]? _buffer;
    private RpcReader? _refusal;
    private int _lineLength;
    private bool _greeted;

    /// <summary>Makes a greeting on a connected socket.</summary>
    /// <param name="port">Makes the operations.</param>
    /// <param name="agent">The connection to the agent.</param>
    /// <param name="owner">Runs the operations.</param>
    /// <param name="buffers">Lends the memory for what the agent says.</param>
    /// <param name="connectLine">What a hybrid vsock wants first; empty otherwise.</param>
    /// <param name="greeting">The preamble; pinned.</param>
    /// <param name="expectsAnswer">Whether the agent answers.</param>
    internal GuestGreeting(
        IoPort port, IoSocket agent, IIoOwner owner, BufferPool buffers, Memory<byte> connectLine, Memory<byte> greeting, bool expectsAnswer)
    {
        _buffers = buffers;
        _greeting = greeting;
        _expectsAnswer = expectsAnswer;
        _send = port.Send(agent, owner);
        _receive = port.Receive(agent, owner);
        _greeted = connectLine.IsEmpty;
        _send.Buffer = _greeted ? greeting : connectLine;
        Next = _send;
    }

    /// <summary>The operation to run next.</summary>
    internal TransferOperation Next { get; private set; }

    /// <summary>Why the agent will not do, after <see cref="GreetingStep.Refused"/>.</summary>
    internal RelayError Refusal { get; private set; } = null!;

    /// <summary>Takes what has ended well, and says what comes next.</summary>
    internal GreetingStep Advance(TransferOperation ended)
    {
        if (ended == _send)
        {
            return _greeted ? Greeted() : Listen(1, GreetingStep.MoreToTarget);
        }

        if (ended.BytesTransferred == 0)
        {
            return Refuse(RelayErrorCode.ConnectionRefused, "the agent's side closed the connection without an answer");
        }

        return _greeted ? ReadAnswer(ended.Buffer.Span[..ended.BytesTransferred]) : ReadLine();
    }

    /// <summary>Gives the memory back, when no operation uses it any more.</summary>
    internal void Release()
    {
        if (_buffer is not null)
        {
            _buffers.Return(_buffer);
            _buffer = null;
        }
    }

    private GreetingStep Greeted() => _expectsAnswer ? Listen(1, GreetingStep.Greeted) : GreetingStep.GreetedForGood;

    // One byte is enough for the usual answer, and leaves the server's bytes behind it where they are.
    private GreetingStep Listen(int bytes, GreetingStep step)
    {
        _buffer ??= _buffers.Rent();
        _receive.Buffer = _greeted ? _buffer.AsMemory(0, bytes) : _buffer.AsMemory(_lineLength, bytes);
        Next = _receive;
        return step;
    }

    private GreetingStep ReadLine()
    {
        byte last = _buffer![_lineLength++];
        if (last != (byte)'\n' && _lineLength < MaxLine)
        {
            return Listen(1, GreetingStep.MoreToTarget);
        }

        if (last != (byte)'\n' || !_buffer.AsSpan(0, _lineLength).StartsWith("OK "u8))
        {
            return Refuse(RelayErrorCode.ConnectionRefused, $"the hybrid vsock answered '{Encoding.ASCII.GetString(_buffer, 0, _lineLength).Trim()}', not OK");
        }

        _greeted = true;
        _send.Buffer = _greeting;
        Next = _send;
        return GreetingStep.MoreToTarget;
    }

    private GreetingStep ReadAnswer(ReadOnlySpan<byte> bytes)
    {
        if (_refusal is null && bytes[0] == MessagePackCode.Nil)
        {
            return GreetingStep.Accepted;
        }

        // Nothing but the error follows, so that it may be read in larger pieces.
        try
        {
            _refusal ??= new RpcReader();
            _refusal.Append(bytes);
            if (!_refusal.TryRead(out ReadOnlyMemory<byte> answer))
            {
                return Listen(_buffer!.Length, GreetingStep.MoreToClient);
            }

            MessagePackReader reader = new(answer);
            Refusal = WireFormat.ReadError(ref reader);
            return GreetingStep.Refused;
        }
        catch (Exception e) when (e is RpcFormatException or RelayException)
        {
            string problem = e is RpcFormatException broken ? broken.Reason.ToString() : e.Message;
            return Refuse(RelayErrorCode.InvalidParams, $"the agent's answer is neither nil nor an error: {problem}");
        }
    }

    private GreetingStep Refuse(RelayErrorCode code, string message)
    {
        Refusal = new RelayError(code, message);
        return GreetingStep.Refused;
    }
}
