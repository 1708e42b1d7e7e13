using System.Buffers;
using System.Runtime.InteropServices;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Control;

/// <summary>
/// Standard output: messages are collected while the previous piece is being written, and written in one piece after it. If the parent does not read,
/// they wait here and hold up nothing else. A long one may be made in several turns; what comes meanwhile goes out behind it. Loop thread only.
/// </summary>
internal sealed class ControlOutput : IIoOwner
{
    private const int RestingCapacity = 64 * 1024;

    // What is collected does not wait for more events than that.
    private const int MaxEventBytes = 16 * 1024;

    private readonly IoLoop _loop;
    private readonly TransferOperation? _send;
    private readonly BlockingThread? _thread;
    private ArrayBufferWriter<byte> _collected = new();
    private ArrayBufferWriter<byte> _inFlight = new();
    private ArrayBufferWriter<byte>? _behind;
    private Action? _writeEvents;
    private MemoryHandle _pinned;
    private bool _writing;

    internal ControlOutput(IoLoop loop)
    {
        _loop = loop;
        if (loop.Port.TryOpenPipe(StandardStream.Output.Handle, write: true) is { } pipe)
            _send = loop.Port.Send(pipe, this);
        else
            _thread = new BlockingThread("standard output", WritePiece);
    }

    /// <summary>Bytes not yet written.</summary>
    public int Backlog => _collected.WrittenCount + _inFlight.WrittenCount + (_behind?.WrittenCount ?? 0);

    /// <summary>Takes the next message; <see cref="Flush"/> writes it.</summary>
    public IBufferWriter<byte> Writer => _behind ?? _collected;

    /// <summary>Takes the next part of the message that <see cref="BeginLong"/> began.</summary>
    public IBufferWriter<byte> LongWriter => _collected;

    /// <summary>Called when a piece has been written, or dropped because standard output is closed.</summary>
    public Action? Progress { get; set; }

    /// <summary>From now on events are taken whenever a piece is begun, and written behind what it has, each by <paramref name="write"/> to <see cref="Writer"/>.</summary>
    public void FillWith(RelayEvents events, Action<RelayEvent> write) => _writeEvents = () =>
    {
        events.BeginPiece();
        while (Backlog < MaxEventBytes && events.TryTake(out RelayEvent? item))
            write(item!);
    };

    public void BeginLong() => _behind = new();

    public void EndLong()
    {
        _collected.Write(_behind!.WrittenSpan);
        _behind = null;
    }

    public void Flush()
    {
        if (_writing)
            return;

        if (_behind is null)
            _writeEvents?.Invoke();

        if (_collected.WrittenCount == 0)
            return;

        (_collected, _inFlight) = (_inFlight, _collected);
        _writing = true;
        if (_send is null)
        {
            _thread!.Run();
            return;
        }

        _send.Buffer = MemoryMarshal.AsMemory(_inFlight.WrittenMemory);
        _pinned = _send.Buffer.Pin();
        _loop.Start(_send);
    }

    public void Completed(IoOperation operation)
    {
        _pinned.Dispose();
        _send!.Buffer = default;
        OnWritten();
    }

    private void WritePiece()
    {
        // What cannot be written is dropped: closed standard output does not end the relay, only the end of standard input does.
        _ = StandardStream.Output.Write(_inFlight.WrittenSpan);
        _loop.Post(OnWritten);
    }

    private void OnWritten()
    {
        _writing = false;
        if (_inFlight.Capacity > RestingCapacity)
            _inFlight = new ArrayBufferWriter<byte>();
        else
            _inFlight.ResetWrittenCount();

        Flush();
        Progress?.Invoke();
    }
}
