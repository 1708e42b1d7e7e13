using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>Standard input as an operation of the loop. Loop thread only.</summary>
internal sealed class PipeControlInput : ControlInput, IIoOwner
{
    private readonly IoLoop _loop;
    private readonly TransferOperation _receive;

    internal PipeControlInput(IoLoop loop, IoHandle pipe, IControlReader reader)
        : base(reader)
    {
        _loop = loop;
        _receive = loop.Port.Receive(pipe, this);
        _receive.Buffer = GC.AllocateUninitializedArray<byte>(PieceSize, pinned: true);
    }

    /// <inheritdoc/>
    public override void Next() => _loop.Start(_receive);

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        // A pipe that broke is a parent that is gone: the end, like its end of file.
        if (operation.Error != IoError.Cancelled)
        {
            Reader.Received(operation.Error == IoError.None ? _receive.Buffer.Span[.._receive.BytesTransferred] : []);
        }
    }
}
