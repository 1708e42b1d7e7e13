using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Standard output where the system cannot wait for it together with others: a background thread blocks on it. It ends with the process.
/// </summary>
internal sealed class ThreadControlOutput(IoLoop loop) : ControlOutput
{
    private readonly SemaphoreSlim _asked = new(0);
    private Memory<byte> _piece;
    private Thread? _thread;

    protected override void Write(Memory<byte> piece)
    {
        _piece = piece;
        if (_thread is null)
        {
            _thread = new Thread(WritePieces, 256 * 1024) { IsBackground = true, Name = "standard output" };
            _thread.Start();
        }

        _asked.Release();
    }

    private void WritePieces()
    {
        using Stream output = new FileStream(IoPort.StandardHandle(StandardStream.Output), FileAccess.Write, bufferSize: 0);
        while (true)
        {
            _asked.Wait();
            try
            {
                output.Write(_piece.Span);
            }
            catch (IOException)
            {
                // Nobody reads any more; the end of file on standard input says what to do about it.
            }

            loop.Post(Written);
        }
    }
}
