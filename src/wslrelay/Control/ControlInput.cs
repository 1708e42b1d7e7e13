using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Standard input, read one piece per <see cref="Next"/>: a parent that sends requests faster than they are answered is held up by its pipe. Loop thread only.
/// </summary>
internal sealed class ControlInput : IIoOwner
{
    private const int PieceSize = 16 * 1024;

    private readonly IoLoop _loop;
    private readonly Action<ReadOnlyMemory<byte>> _received;
    private readonly Memory<byte> _piece = GC.AllocateUninitializedArray<byte>(PieceSize, pinned: true);
    private readonly IoHandle? _pipe;
    private readonly TransferOperation? _receive;
    private readonly BlockingThread? _thread;

    /// <param name="loop">The loop, which calls back.</param>
    /// <param name="received">Gets a piece after each <see cref="Next"/>, never inside it; valid during the call. An empty one is the end of file.</param>
    internal ControlInput(IoLoop loop, Action<ReadOnlyMemory<byte>> received)
    {
        _loop = loop;
        _received = received;
        _pipe = loop.Port.TryOpenPipe(StandardStream.Input.Handle, write: false);
        if (_pipe is null)
        {
            _thread = new BlockingThread("standard input", ReadPiece);
        }
        else
        {
            _receive = loop.Port.Receive(_pipe, this);
            _receive.Buffer = _piece;
        }
    }

    /// <summary>Whether the end of file is known to follow what has not been read yet. False does not rule it out.</summary>
    public bool HasEnded => _pipe is { HasEnded: true };

    public void Next()
    {
        if (_receive is null)
            _thread!.Run();
        else
            _loop.Start(_receive);
    }

    public void Completed(IoOperation operation)
    {
        // A broken pipe means that the parent is gone, as end of file does.
        if (operation.Error != IoError.Cancelled)
            _received(_piece[..(operation.Error == IoError.None ? _receive!.BytesTransferred : 0)]);
    }

    private void ReadPiece()
    {
        int length = StandardStream.Input.Read(_piece.Span);
        _loop.Post(() => _received(_piece[..length]));
    }
}
