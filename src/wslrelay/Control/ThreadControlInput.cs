using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Reads standard input where the loop cannot wait for it (a synchronous pipe on Windows, a file, a terminal): a background thread blocks on it and posts each
/// piece to the loop. The thread ends with the process.
/// </summary>
internal sealed class ThreadControlInput(IoLoop loop, IControlReader reader) : ControlInput(reader)
{
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly byte[] _piece = new byte[PieceSize];
    private Thread? _thread;

    public override void Next()
    {
        if (_thread is null)
        {
            _thread = new Thread(ReadPieces, 256 * 1024) { IsBackground = true, Name = "standard input" };
            _thread.Start();
        }

        _wanted.Release();
    }

    private void ReadPieces()
    {
        int length;
        do
        {
            _wanted.Wait();
            length = StandardStream.Input.Read(_piece);
            int received = length;
            loop.Post(() => Reader.Received(_piece.AsSpan(0, received)));
        }
        while (length > 0);
    }
}
