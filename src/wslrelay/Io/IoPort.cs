using System.Runtime.InteropServices;
using Wslrelay.Io.Linux;
using Wslrelay.Io.Windows;

namespace Wslrelay.Io;

/// <summary>One wake-up of an operation, from <see cref="IoPort.Wait"/>.</summary>
/// <param name="Operation">The operation that was woken.</param>
/// <param name="Source">The slot of the packet or the batch of the call that completed; null for a readiness event, after which the operation tries again.</param>
/// <param name="Bytes">Bytes transferred; 0 without a source.</param>
/// <param name="NativeError">The error in the system's own numbers, 0 if there is none.</param>
internal readonly record struct IoEvent(IoOperation Operation, object? Source, uint Bytes, int NativeError);

/// <summary>
/// Waits for any number of handles and creates the operations on them: a completion port on Windows, epoll on Linux. This is the
/// platform interface; each system's folder implements it, and no caller knows which one runs. Every member except
/// <see cref="Wake"/> is for the loop thread, or for the only thread before the loop runs.
/// </summary>
internal abstract class IoPort : IDisposable
{
    /// <summary>The loop stops: every connection is about to be reset, so that a listener's backlog need not be served first.</summary>
    public bool IsStopping { get; set; }

    /// <summary>The deadlines of the loop, and of what the port tries again where no event tells it to.</summary>
    public IoTimers Timers { get; } = new();

    /// <summary>Of the port and what is above it, each kept only while its receiver has not taken the data.</summary>
    public BufferPool Buffers { get; } = new();

    /// <summary>How many operations have yielded and go on without a wake-up; set by the loop before each <see cref="Wait"/>.</summary>
    public int YieldedCount { get; set; }

    /// <summary>Creates the port of the current system; <see cref="StandardStream"/> has the only other platform check.</summary>
    /// <param name="keepaliveSeconds">The idle time before a TCP keepalive probe; 0: the system's.</param>
    public static IoPort Create(int keepaliveSeconds = 0) =>
        OperatingSystem.IsWindows() ? new CompletionPort(keepaliveSeconds)
        : OperatingSystem.IsLinux() ? new EpollPort(keepaliveSeconds: keepaliveSeconds)
        : throw new PlatformNotSupportedException("wslrelay runs on Windows and Linux.");

    /// <summary>A port for another loop of this process; only this one has listeners.</summary>
    /// <exception cref="IoException">The system has no handles for it.</exception>
    public virtual IoPort CreateForLoop() => throw new NotSupportedException();

    /// <summary>Takes a socket that it does not wait for yet: accepted by another loop for this one, or meant to be passed on. False, and the socket is closed, where the system refuses.</summary>
    public virtual bool Adopt(IoSocket socket) => throw new NotSupportedException();

    /// <summary>Has <see cref="ThreadMicroseconds"/> tell of the calling thread.</summary>
    public virtual void BindThread() => throw new NotSupportedException();

    /// <summary>Processor time of the bound thread; 0 where there is none. Callable from any thread.</summary>
    public virtual long ThreadMicroseconds => 0;

    /// <summary>False on Windows: CTRL_CLOSE_EVENT, which .NET calls SIGHUP, ends a process even if it is ignored.</summary>
    public virtual bool CanIgnoreHangUp => true;

    /// <summary>
    /// Opens, binds and, but for datagrams, listens. An address and port of another socket is neither shared nor shadowed. On a wildcard address each datagram tells
    /// the address that it was sent to.
    /// </summary>
    /// <exception cref="IoException">The system refuses.</exception>
    public abstract IoSocket Listen(in IoEndpoint endpoint);

    /// <summary>
    /// Who keeps a TCP address and port from being listened on, for a person: a process and its id, or its user. Null where the system does not tell, or not in
    /// the time given, which reading the system's tables may take.
    /// </summary>
    public virtual string? FindOwner(in IoEndpoint endpoint, int milliseconds) => null;

    public abstract AcceptOperation Accept(IoSocket listener, IAcceptOwner owner);

    public abstract ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner);

    /// <summary>Whether there are handles enough for some to be open for later use, as this socket tells, which was opened last.</summary>
    public virtual bool HasHandlesToSpare(IoSocket newest) => false;

    /// <summary>Sends to a socket or pipe. At most one send or pump may write a handle at a time.</summary>
    public abstract TransferOperation Send(IoHandle to, IIoOwner owner);

    /// <summary>Receives from a socket or pipe. At most one receive or pump may read a handle at a time.</summary>
    public abstract TransferOperation Receive(IoHandle from, IIoOwner owner);

    /// <summary>Receives like <see cref="Receive"/>, and an attached TCP socket; <see cref="IoError.BadDescriptor"/> where anything else is. Unix sockets only.</summary>
    public virtual TransferOperation ReceiveSocket(IoSocket from, IIoOwner owner) => throw new NotSupportedException();

    /// <summary>Relays one direction, up to and including the end of the stream.</summary>
    public abstract PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner, ChunkMode chunks = ChunkMode.None);

    /// <summary>Opens a datagram socket connected to one peer, whose errors are then reported.</summary>
    /// <exception cref="IoException">The system refuses; <see cref="IoError.TooManyOpenFiles"/> already while few handles are left for connections.</exception>
    public virtual IoSocket ConnectDatagrams(in IoEndpoint endpoint) => throw new NotSupportedException();

    /// <summary>Receives until it is cancelled, or, on a connected socket, until its peer's system reports that nothing listens there.</summary>
    public virtual IoOperation ReceiveDatagrams(IoSocket socket, IDatagramOwner owner) => throw new NotSupportedException();

    /// <summary>
    /// Sends datagrams of a batch without waiting: what finds no room is dropped. <paramref name="to"/> is the default on a connected socket, and
    /// <paramref name="from"/> unless the socket is bound to a wildcard address.
    /// </summary>
    public virtual DatagramsSent SendDatagrams(IoSocket socket, DatagramBatch batch, int first, int count, in InternetAddress to = default, in InternetAddress from = default) =>
        throw new NotSupportedException();

    /// <summary>
    /// Completes when a foreign handle, from <see cref="OpenSignal"/> or opened by the caller, is signalled (on Linux: readable or hung up). The port neither associates
    /// nor closes it.
    /// </summary>
    public abstract IoOperation Watch(SafeHandle signal, IIoOwner owner);

    /// <summary>An inherited handle: on Windows an event (or a process), on Linux an eventfd, the read end of a pipe, or a pidfd.</summary>
    /// <exception cref="IoException">It is none of these; the message says what it is.</exception>
    public abstract SafeHandle OpenSignal(long number);

    /// <summary>Opens a running process of the same user, to <see cref="Watch"/> for its exit. The caller owns the handle.</summary>
    /// <exception cref="IoException">There is none of that id; the message says what is wrong.</exception>
    public abstract SafeHandle OpenProcess(int id);

    /// <summary>
    /// Opens a pipe or standard stream for the loop, without changing it for the processes that share it or owning <paramref name="pipe"/>.
    /// Null if it can only be used synchronously and so needs a thread.
    /// </summary>
    public abstract IoHandle? TryOpenPipe(SafeHandle pipe, bool write);

    /// <summary>The listening sockets of this machine, for a thread of the caller's.</summary>
    public virtual ListenerTable Listeners() => new();

    /// <exception cref="IoException">This machine does not support the kind of socket; the message says what is missing.</exception>
    public virtual void RequireSupport(IoEndpointKind kind)
    {
    }

    /// <summary>Stores wake-ups and returns their number; 0 after a timeout or a <see cref="Wake"/>. A timeout of -1 is infinite, 0 polls.</summary>
    public abstract int Wait(Span<IoEvent> events, int timeoutMilliseconds);

    /// <summary>Makes the current or the next <see cref="Wait"/> return. Callable from any thread, also after the port was disposed.</summary>
    public abstract void Wake();

    /// <summary>Called when every event of the last <see cref="Wait"/> has been dispatched.</summary>
    public virtual void EndTurn()
    {
    }

    /// <summary>The loop has drained: no operation is in flight.</summary>
    public abstract void Dispose();
}
