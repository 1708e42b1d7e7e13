using System.Buffers;
using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// What the relay says to its parent: messages are gathered and written in one piece while the one before is under way. A parent that does not
/// read makes them wait here, and nothing else. Loop thread.
/// </summary>
internal abstract class ControlOutput
{
    private ArrayBufferWriter<byte> _gathered = new();
    private ArrayBufferWriter<byte> _underWay = new();
    private bool _writing;

    /// <summary>Bytes that the parent has not taken.</summary>
    public int Backlog => _gathered.WrittenCount + _underWay.WrittenCount;

    /// <summary>Where the next message is written; <see cref="Flush"/> sends it on its way.</summary>
    public IBufferWriter<byte> Writer => _gathered;

    /// <summary>Called on the loop thread when a piece was taken, or was given up because nobody reads any more.</summary>
    public Action? Progress { get; set; }

    /// <summary>Opens standard output: in the loop where the system can wait for it, on a thread of its own where not.</summary>
    public static ControlOutput OpenStandardOutput(IoLoop loop)
    {
        using SafeHandle handle = IoPort.StandardHandle(StandardStream.Output);
        return loop.Port.TryOpenPipe(handle, write: true) is { } pipe
            ? new PipeControlOutput(loop, pipe)
            : new ThreadControlOutput(loop);
    }

    /// <summary>Sends what has been gathered.</summary>
    public void Flush()
    {
        if (_writing || _gathered.WrittenCount == 0)
        {
            return;
        }

        (_gathered, _underWay) = (_underWay, _gathered);
        _writing = true;
        Write(MemoryMarshal.AsMemory(_underWay.WrittenMemory));
    }

    /// <summary>Begins to write; ends, later and on the loop thread, with <see cref="Written"/>.</summary>
    protected abstract void Write(Memory<byte> piece);

    /// <summary>The piece was taken, or nobody reads any more.</summary>
    protected void Written()
    {
        const int Keep = 64 * 1024;
        _writing = false;
        if (_underWay.Capacity > Keep)
        {
            _underWay = new ArrayBufferWriter<byte>();
        }
        else
        {
            _underWay.ResetWrittenCount();
        }

        Flush();
        Progress?.Invoke();
    }
}
