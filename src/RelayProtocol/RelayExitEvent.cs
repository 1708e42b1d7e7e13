namespace RelayProtocol;

/// <summary>
/// An event that a parent signals to end relays at once: an eventfd on Linux, a manual-reset event on Windows. One can be given to several
/// relays by <see cref="RelayStartInfo.ExitEvent"/>. Not signalled at first; only the children that it is given to inherit it. Making one fails with
/// <see cref="System.ComponentModel.Win32Exception"/> where the system is out of handles. Every member is safe for any thread.
/// </summary>
public sealed class RelayExitEvent : IDisposable
{
    /// <summary>The descriptor or event handle, for a parent that starts the relay by its own means and passes <c>--exit-event</c>.</summary>
    public SafeHandle Handle { get; } = Platform.Current.CreateExitEvent();

    /// <summary>Signals the event; it stays signalled. Signalling again does nothing.</summary>
    /// <exception cref="ObjectDisposedException">The event has been disposed.</exception>
    public void Signal() => Platform.Current.Signal(Handle);

    /// <summary>Closes the handle. Relays that were started with the event keep theirs, which can then no longer be signalled.</summary>
    public void Dispose() => Handle.Dispose();
}
