using System.Buffers;
using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>Writes standard output in the loop. Loop thread only.</summary>
internal sealed class PipeControlOutput : ControlOutput, IIoOwner
{
    private readonly IoLoop _loop;
    private readonly TransferOperation _send;
    private MemoryHandle _pinned;

    internal PipeControlOutput(IoLoop loop, IoHandle pipe)
    {
        _loop = loop;
        _send = loop.Port.Send(pipe, this);
    }

    public void Completed(IoOperation operation)
    {
        _pinned.Dispose();
        _send.Buffer = default;
        Written();
    }

    protected override void Write(Memory<byte> piece)
    {
        _pinned = piece.Pin();
        _send.Buffer = piece;
        _loop.Start(_send);
    }
}
