using Wslrelay.Io;

namespace Wslrelay.Control;

/// <summary>
/// Standard input, read one piece per <see cref="Next"/>: a parent that sends requests faster than they are answered is held up by its pipe. Loop thread only.
/// </summary>
internal abstract class ControlInput(IControlReader reader)
{
    protected const int PieceSize = 16 * 1024;

    protected IControlReader Reader { get; } = reader;

    /// <summary>Reads in the loop where the system can wait for standard input, on a background thread where it cannot.</summary>
    public static ControlInput OpenStandardInput(IoLoop loop, IControlReader reader) =>
        loop.Port.TryOpenPipe(StandardStream.Input.Handle, write: false) is { } pipe
            ? new PipeControlInput(loop, pipe, reader)
            : new ThreadControlInput(loop, reader);

    /// <summary>Whether the end of file is known to follow what has not been read yet. Can be false although it does.</summary>
    public virtual bool HasEnded => false;

    /// <summary>Reads the next piece; <see cref="IControlReader.Received"/> gets it later, never inside this call.</summary>
    public abstract void Next();
}
