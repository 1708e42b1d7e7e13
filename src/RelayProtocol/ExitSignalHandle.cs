using System.Runtime.InteropServices;

namespace RelayProtocol;

/// <summary>The native handle of an exit event. Any thread.</summary>
internal abstract class ExitSignalHandle() : SafeHandle(-1, ownsHandle: true)
{
    /// <summary>Signals it, for good.</summary>
    internal abstract void Signal();
}
