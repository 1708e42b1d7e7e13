using System.Buffers;
using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Standard output: messages are collected while the previous piece is being written, and written in one piece after it. If the parent does not read,
/// they wait here and hold up nothing else. Loop thread only.
/// </summary>
internal abstract class ControlOutput
{
    private ArrayBufferWriter<byte> _collected = new();
    private ArrayBufferWriter<byte> _inFlight = new();
    private bool _writing;

    /// <summary>Bytes not yet written.</summary>
    public int Backlog => _collected.WrittenCount + _inFlight.WrittenCount;

    /// <summary>Takes the next message; <see cref="Flush"/> writes it.</summary>
    public IBufferWriter<byte> Writer => _collected;

    /// <summary>Called when a piece has been written, or dropped because standard output is closed.</summary>
    public Action? Progress { get; set; }

    /// <summary>Writes in the loop where the system can wait for standard output, on a background thread where it cannot.</summary>
    public static ControlOutput OpenStandardOutput(IoLoop loop) =>
        loop.Port.TryOpenPipe(StandardStream.Output.Handle, write: true) is { } pipe
            ? new PipeControlOutput(loop, pipe)
            : new ThreadControlOutput(loop);

    public void Flush()
    {
        if (_writing || _collected.WrittenCount == 0)
            return;

        (_collected, _inFlight) = (_inFlight, _collected);
        _writing = true;
        Write(MemoryMarshal.AsMemory(_inFlight.WrittenMemory));
    }

    /// <summary>Starts to write; calls <see cref="Written"/> later, on the loop thread.</summary>
    protected abstract void Write(Memory<byte> piece);

    protected void Written()
    {
        const int Keep = 64 * 1024;
        _writing = false;
        if (_inFlight.Capacity > Keep)
            _inFlight = new ArrayBufferWriter<byte>();
        else
            _inFlight.ResetWrittenCount();

        Flush();
        Progress?.Invoke();
    }
}
