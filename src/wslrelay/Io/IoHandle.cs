using System.Runtime.InteropServices;

namespace Wslrelay.Io;

/// <summary>
/// What can be received from and sent to: a socket or a pipe that the port knows. Owned by the loop thread. As a
/// <see cref="SafeHandle"/> it keeps its number alive through every native call, and the finalizer closes what was forgotten.
/// </summary>
internal abstract class IoHandle : SafeHandle
{
    /// <summary>Makes a handle that holds nothing yet.</summary>
    protected IoHandle()
        : base(-1, ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == -1;

    /// <summary>
    /// Closes it, after every operation on it has completed. Without <paramref name="abort"/> what was sent still arrives,
    /// then the end; with it the peer gets a reset, where the family knows one, and unsent data is thrown away.
    /// </summary>
    public abstract void Close(bool abort);
}
