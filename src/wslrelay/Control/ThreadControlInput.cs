using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Standard input where the system cannot wait for it together with others (a synchronous pipe on Windows, a file, a terminal): a
/// background thread blocks on it and posts each piece to the loop. It ends with the process.
/// </summary>
internal sealed class ThreadControlInput(IoLoop loop, IControlReader reader) : ControlInput(reader)
{
    private readonly SemaphoreSlim _asked = new(0);
    private readonly byte[] _piece = new byte[PieceSize];
    private Thread? _thread;

    public override void Next()
    {
        if (_thread is null)
        {
            _thread = new Thread(ReadPieces, 256 * 1024) { IsBackground = true, Name = "standard input" };
            _thread.Start();
        }

        _asked.Release();
    }

    private void ReadPieces()
    {
        using Stream input = new FileStream(IoPort.StandardHandle(StandardStream.Input), FileAccess.Read, bufferSize: 0);
        int length;
        do
        {
            _asked.Wait();
            try
            {
                length = input.Read(_piece);
            }
            catch (IOException)
            {
                // A stream that broke is a parent that is gone: the end, like its end of file.
                length = 0;
            }

            int received = length;
            loop.Post(() => Reader.Received(_piece.AsSpan(0, received)));
        }
        while (length > 0);
    }
}
