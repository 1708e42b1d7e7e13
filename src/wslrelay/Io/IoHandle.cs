using System.Runtime.InteropServices;

namespace Wslrelay.Io;

/// <summary>A socket or pipe that can be received from and sent to. Owned by the loop thread; the finalizer closes what was forgotten.</summary>
internal abstract class IoHandle : SafeHandle
{
    protected IoHandle()
        : base(-1, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>Whether the system has reported that the other side has ended its sending, although not all of it may have been received.</summary>
    public virtual bool HasEnded => false;

    /// <summary>
    /// Closes it, after every operation on it has completed. Without <paramref name="abort"/> what was sent still arrives, followed by
    /// the end of the stream; with it unsent data is discarded and the peer gets a reset, where the family has one.
    /// </summary>
    public abstract void Close(bool abort);
}
