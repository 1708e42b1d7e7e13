using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>Reads standard input in the loop. Loop thread only.</summary>
internal sealed class PipeControlInput : ControlInput, IIoOwner
{
    private readonly IoLoop _loop;
    private readonly IoHandle _pipe;
    private readonly TransferOperation _receive;

    internal PipeControlInput(IoLoop loop, IoHandle pipe, IControlReader reader)
        : base(reader)
    {
        _loop = loop;
        _pipe = pipe;
        _receive = loop.Port.Receive(pipe, this);
        _receive.Buffer = GC.AllocateUninitializedArray<byte>(PieceSize, pinned: true);
    }

    public override bool HasEnded => _pipe.HasEnded;

    public override void Next() => _loop.Start(_receive);

    public void Completed(IoOperation operation)
    {
        // A broken pipe means that the parent is gone, as end of file does.
        if (operation.Error != IoError.Cancelled)
            Reader.Received(operation.Error == IoError.None ? _receive.Buffer.Span[.._receive.BytesTransferred] : []);
    }
}
