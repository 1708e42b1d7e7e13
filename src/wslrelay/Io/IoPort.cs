using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Windows.Interop;
using Wslrelay.Io.Linux;
using Wslrelay.Io.Windows;

namespace Wslrelay.Io;

/// <summary>
/// One wait for any number of handles, and the operations that can be waited for: a completion port on Windows, epoll on
/// Linux. This is the seam; each system's folder supplies a class of this shape, and nothing above knows which one runs.
/// Every member but <see cref="Wake"/> is for the loop thread (or for the only thread, before the loop runs).
/// </summary>
internal abstract class IoPort : IDisposable
{
    /// <summary>Makes the port of the system this runs on: the one place that asks.</summary>
    /// <exception cref="PlatformNotSupportedException">Neither Windows nor Linux.</exception>
    public static IoPort Create() =>
        OperatingSystem.IsWindows() ? new CompletionPort()
        : OperatingSystem.IsLinux() ? new EpollPort()
        : throw new PlatformNotSupportedException("wslrelay runs on Windows and Linux.");

    /// <summary>One of the process's standard streams, as the handle itself, which stays open. For any thread.</summary>
    public static SafeFileHandle StandardHandle(StandardStream which) =>
        new(OperatingSystem.IsWindows() ? Kernel32.GetStdHandle(Kernel32.STD_INPUT_HANDLE - (int)which) : (nint)which, ownsHandle: false);

    /// <summary>Opens, binds and listens. A TCP address and port of another listener is never shared nor shadowed.</summary>
    /// <exception cref="IoException">The system says no; the error says why.</exception>
    public abstract IoSocket Listen(in IoEndpoint endpoint);

    /// <summary>Accepts from a listener made by <see cref="Listen"/>, until it is cancelled.</summary>
    public abstract AcceptOperation Accept(IoSocket listener, IAcceptOwner owner);

    /// <summary>Connects a new socket.</summary>
    public abstract ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner);

    /// <summary>Sends from memory to a socket or pipe. At most one send or pump writes a handle at a time.</summary>
    public abstract TransferOperation Send(IoHandle to, IIoOwner owner);

    /// <summary>Receives into memory from a socket or pipe. At most one receive or pump reads a handle at a time.</summary>
    public abstract TransferOperation Receive(IoHandle from, IIoOwner owner);

    /// <summary>Carries everything from one socket to another, and its end.</summary>
    public abstract PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner);

    /// <summary>Waits for a foreign handle that <see cref="OpenSignal"/> or the caller opened. The port never associates or closes it.</summary>
    public abstract WatchOperation Watch(SafeHandle signal, IIoOwner owner);

    /// <summary>
    /// Checks that <paramref name="number"/> is an inherited handle that can be a signal: on Windows an event (or a process),
    /// on Linux an eventfd, the read end of a pipe, or a pidfd.
    /// </summary>
    /// <exception cref="IoException">It is not; the message says what it is.</exception>
    public abstract SafeHandle OpenSignal(long number);

    /// <summary>
    /// Makes a pipe or standard stream waitable without changing how its other owners see it; takes ownership of nothing.
    /// Returns null where the handle can only be used synchronously: it needs a thread of its own.
    /// </summary>
    public abstract IoHandle? TryOpenPipe(SafeHandle pipe, bool write);

    /// <summary>Makes sure, before anything is listened on, that this machine has a kind of socket at all.</summary>
    /// <exception cref="IoException">It does not; the message says what is missing.</exception>
    public virtual void RequireSupport(IoEndpointKind kind)
    {
    }

    /// <summary>
    /// Waits for wake-ups: at most as many as <paramref name="events"/> holds, at most so long
    /// (-1: for ever, 0: not at all). Returns how many came; 0 after a timeout or a <see cref="Wake"/>.
    /// </summary>
    public abstract int Wait(Span<IoEvent> events, int timeoutMilliseconds);

    /// <summary>Ends the current or the next <see cref="Wait"/>. The only member for any thread; a burst costs one wake-up or more.</summary>
    public abstract void Wake();

    /// <summary>The loop has dealt with all that <see cref="Wait"/> returned: close what was closed, take up what waited for room.</summary>
    public virtual void EndTurn()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the port. The loop has drained: nothing is in flight.</summary>
    protected abstract void Dispose(bool disposing);
}
