using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>Writes standard output where the loop cannot wait for it: a background thread blocks on it, and ends with the process.</summary>
internal sealed class ThreadControlOutput(IoLoop loop) : ControlOutput
{
    private readonly SemaphoreSlim _wanted = new(0);
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

        _wanted.Release();
    }

    private void WritePieces()
    {
        while (true)
        {
            _wanted.Wait();

            // What cannot be written is dropped: the end of standard input is what ends the relay.
            _ = StandardStream.Output.Write(_piece.Span);
            loop.Post(Written);
        }
    }
}
