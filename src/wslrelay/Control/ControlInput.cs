using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// The parent's bytes, one piece at a time: each is asked for by <see cref="Next"/>, so that a parent that sends faster than it is
/// answered waits in its pipe. Loop thread.
/// </summary>
internal abstract class ControlInput(IControlReader reader)
{
    /// <summary>Bytes of one piece.</summary>
    protected const int PieceSize = 16 * 1024;

    /// <summary>Who gets the bytes.</summary>
    protected IControlReader Reader { get; } = reader;

    /// <summary>Opens standard input: in the loop where the system can wait for it, on a thread of its own where not.</summary>
    public static ControlInput OpenStandardInput(IoLoop loop, IControlReader reader)
    {
        using SafeHandle handle = IoPort.StandardHandle(StandardStream.Input);
        return loop.Port.TryOpenPipe(handle, write: false) is { } pipe
            ? new PipeControlInput(loop, pipe, reader)
            : new ThreadControlInput(loop, reader);
    }

    /// <summary>Asks for the next piece.</summary>
    public abstract void Next();
}
