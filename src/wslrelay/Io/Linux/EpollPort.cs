using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// The wait on Linux: one epoll instance. Sockets are registered once, edge-triggered; listeners and watched descriptors are level-triggered.
/// Events are dispatched by token, so that stale events of a closed descriptor are dropped. Loop thread only, except <see cref="Wake"/>.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class EpollPort : IoPort
{
    /// <summary>Of a batched receive; one that fills its buffer switches its direction to splice.</summary>
    internal const int BatchBufferSize = 16 * 1024;

    private const ulong WakeToken = 0;
    private const int MaxBatch = 256;

    // Epoll has no event for room in the backlog of a Unix listener, nor for data that a peer has acknowledged.
    private const int RetryMilliseconds = 20;

    private readonly EpollPort? _listening;
    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _wake;
    private readonly EpollTokens _tokens = new();
    private readonly Queue<IoOperation> _requestedWakeUps = new();
    private readonly byte[] _native = GC.AllocateUninitializedArray<byte>(MaxBatch * EpollEvent.Size, pinned: true);
    private readonly HashSet<IoOperation> _retries = [];
    private readonly ActionTimer _retryTimer;
    private readonly Dictionary<EpollHandle, UnixListenerFile> _files = [];
    private readonly int _keepaliveSeconds;
    private DatagramReceiver? _datagramReceiver;
    private DatagramSender? _datagramSender;
    private int _threadClock;
    private int _closedCount;

    /// <param name="callMode">Null: as the environment says.</param>
    /// <param name="keepaliveSeconds">The idle time before a keepalive probe; 0: the system's.</param>
    /// <param name="resetIdleMilliseconds">How long a reset waits for a side that takes nothing.</param>
    /// <param name="listening">The port of the loop that listens; null for that one itself.</param>
    /// <exception cref="IoException">The process has no descriptors left.</exception>
    public EpollPort(
        CallMode? callMode = null, int keepaliveSeconds = 0, int resetIdleMilliseconds = PendingResets.MaxIdleMilliseconds, EpollPort? listening = null)
    {
        _listening = listening;
        _epoll = new SafeFileHandle(Errno.Check(Libc.epoll_create1(Libc.EPOLL_CLOEXEC), "epoll_create1"), ownsHandle: true);
        _wake = new SafeFileHandle(Errno.Check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd"), ownsHandle: true);
        _ = Errno.Check(Control(Libc.EPOLL_CTL_ADD, _wake, Libc.EPOLLIN | Libc.EPOLLET, WakeToken), "epoll_ctl");
        Reserve = listening?.Reserve ?? new DescriptorReserve(Timers);
        Resets = new PendingResets(this, resetIdleMilliseconds);
        Pipes = new SplicePipePool(Reserve);
        CallMode mode = callMode ?? ModeOfEnvironment<CallMode>("WSLRELAY_CALLS");
        Calls = new CallBatch(mode);
        TimeSlice = new TimeSlice(isAllowed: mode != CallMode.Single);
        Keepalive = new KeepaliveQueue(_tokens, Timers, keepaliveSeconds);
        _retryTimer = new ActionTimer(Retry);
        _keepaliveSeconds = keepaliveSeconds;
    }

    internal DescriptorReserve Reserve { get; }

    /// <summary>The port of the loop that listens.</summary>
    internal bool IsListening => _listening is null;

    /// <summary>The number of polls of epoll so far.</summary>
    internal long PollCount { get; private set; }

    internal PumpMode PumpMode { get; init; } = ModeOfEnvironment<PumpMode>("WSLRELAY_PUMP");

    internal CallBatch Calls { get; }

    internal TimeSlice TimeSlice { get; }

    internal KeepaliveQueue Keepalive { get; }

    internal PendingResets Resets { get; }

    internal SplicePipePool Pipes { get; }

    internal DatagramReceiver DatagramReceiver => _datagramReceiver ??= new DatagramReceiver();

    /// <summary>The buffers of batched receives: one for each, and as many again for data whose receivers are slow.</summary>
    internal BufferPool BatchBuffers { get; } = new(BatchBufferSize, 2 * CallBatch.Capacity);

    public override long ThreadMicroseconds =>
        _threadClock != 0 && Libc.clock_gettime(_threadClock, out Libc.TimeSpec time) == 0 ? (time.Seconds * 1_000_000) + (time.Nanoseconds / 1000) : 0;

    public override IoPort CreateForLoop()
    {
        TimeSlice.OnConnection();
        return new EpollPort(keepaliveSeconds: _keepaliveSeconds, listening: this);
    }

    public override bool Adopt(IoSocket socket)
    {
        var handle = (EpollHandle)socket;
        if (handle.Token != 0)
            return true;

        if (Register(handle) != 0)
        {
            socket.Close(abort: true);
            return false;
        }

        TimeSlice.OnConnection();

        // An accepted one has inherited it.
        if (handle.NagleEnabled)
            Keepalive.Add(handle);

        return true;
    }

    public override bool HasHandlesToSpare(IoSocket newest) => HasDescriptorsToSpare((int)newest.DangerousGetHandle());

    internal bool HasDescriptorsToSpare(int newest) => !Reserve.NeedsDescriptor && !Reserve.IsScarce(newest);

    // As pthread_getcpuclockid(3) does, which older libraries have elsewhere.
    public override void BindThread() => _threadClock = (~(int)Libc.gettid(Libc.SYS_gettid) << 3) | Libc.CPUCLOCK_PERTHREAD_SCHED;

    public override AcceptOperation Accept(IoSocket listener, IAcceptOwner owner) => new Accept(this, (EpollHandle)listener, owner);

    public override ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner) => new Connect(this, endpoint, owner);

    public override TransferOperation Send(IoHandle to, IIoOwner owner) => new Transfer(this, (EpollHandle)to, send: true, owner);

    public override TransferOperation Receive(IoHandle from, IIoOwner owner) => new Transfer(this, (EpollHandle)from, send: false, owner);

    public override TransferOperation ReceiveSocket(IoSocket from, IIoOwner owner) =>
        new Transfer(this, (EpollHandle)from, send: false, owner, takesSocket: true);

    public override PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner, ChunkMode chunks = ChunkMode.None) => chunks switch
    {
        ChunkMode.Write => new ChunkWriter((EpollHandle)from, (EpollHandle)to, counter, owner),
        ChunkMode.Read => new ChunkReader((EpollHandle)from, (EpollHandle)to, counter, owner),
        _ => new Pump((EpollHandle)from, (EpollHandle)to, counter, owner),
    };

    public override IoOperation ReceiveDatagrams(IoSocket socket, IDatagramOwner owner) => new DatagramReceive(this, (EpollHandle)socket, owner);

    public override DatagramsSent SendDatagrams(IoSocket socket, DatagramBatch batch, int first, int count, in InternetAddress to = default, in InternetAddress from = default) =>
        (_datagramSender ??= new DatagramSender()).Send((EpollHandle)socket, batch, first, count, to, from);

    public override IoOperation Watch(SafeHandle signal, IIoOwner owner) => new Signal(this, signal, owner);

    public override ListenerTable Listeners() => new LinuxListenerTable();

    public override unsafe void Wake()
    {
        ulong one = 1;
        try
        {
            _ = Libc.write(_wake, (byte*)&one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended, and nobody waits.
        }
    }

    public override void EndTurn()
    {
        if (_listening is null)
        {
            Reserve.EndTurn(_closedCount);
        }
        else if (_closedCount > 0 && Reserve.NeedsDescriptor)
        {
            // One that is parked just now misses it, and is tried again each second.
            Reserve.OnClosedElsewhere(_closedCount);
            _listening.Wake();
        }

        _closedCount = 0;
    }

    /// <summary>Wakes an operation after a delay, where no event does; once, however often it is called meanwhile.</summary>
    internal void RetryLater(IoOperation operation)
    {
        if (_retries.Count == 0)
            Timers.Start(_retryTimer, RetryMilliseconds);

        _ = _retries.Add(operation);
    }

    /// <summary>Wakes an operation in the next <see cref="Wait"/>, for example to complete its cancellation.</summary>
    internal void WakeOperation(IoOperation operation) => _requestedWakeUps.Enqueue(operation);

    /// <summary>For life, edge-triggered. EPOLLOUT is requested only after a send was refused: each socket would be reported at once for nothing. Returns 0 or an errno.</summary>
    internal int Register(EpollHandle handle) => Register(handle, Interest(handle));

    /// <summary>Returns 0, or an errno: epoll does not support the descriptor, or has no memory.</summary>
    internal int Register(EpollHandle handle, uint events)
    {
        handle.Token = _tokens.Add(handle);
        int error = Control(Libc.EPOLL_CTL_ADD, handle, events, handle.Token) == 0 ? 0 : Errno.Last;
        if (error != 0)
            RemoveToken(handle);

        return error;
    }

    /// <summary>Applies the handle's changed interest; epoll reports at once what is ready already (epoll_ctl(2), EPOLL_CTL_MOD).</summary>
    internal void UpdateInterest(EpollHandle handle) => _ = Errno.Check(Control(Libc.EPOLL_CTL_MOD, handle, Interest(handle), handle.Token), "epoll_ctl");

    /// <summary>Unregisters a descriptor that stays open.</summary>
    internal void Unregister(EpollHandle handle)
    {
        _ = Errno.Check(Control(Libc.EPOLL_CTL_DEL, handle, 0, 0), "epoll_ctl");
        RemoveToken(handle);
    }

    /// <summary>Closes a descriptor, at once or, with <paramref name="canDefer"/>, in a batch at the end of the turn.</summary>
    internal void Release(EpollHandle handle, bool canDefer)
    {
        RemoveToken(handle);
        if (handle.IsOfFlow)
            Reserve.CountFlow(-1);

        if (!canDefer || Reserve.NeedsDescriptor || !Calls.TryAdd(SystemCall.Close(handle)))
        {
            handle.Dispose();
            OnDescriptorClosed();
        }
    }

    /// <summary>Deletes the file of a Unix listener; does nothing for any other handle.</summary>
    internal void RemoveFile(EpollHandle handle)
    {
        if (_files.Remove(handle, out UnixListenerFile? file))
            file.Delete();
    }

    internal void OnDescriptorClosed() => _closedCount++;

    public override void Dispose()
    {
        Calls.Dispose();
        EndTurn();
        if (IsListening)
            Reserve.Dispose();

        Pipes.Dispose();
        _datagramReceiver?.Dispose();
        _datagramSender?.Dispose();
        _wake.Dispose();
        _epoll.Dispose();
    }

    private void Retry()
    {
        foreach (IoOperation operation in _retries)
            WakeOperation(operation);

        _retries.Clear();
    }

    // What is no such mode is the default one.
    private static T ModeOfEnvironment<T>(string variable)
        where T : struct, Enum => Enum.TryParse(Environment.GetEnvironmentVariable(variable), ignoreCase: true, out T mode) ? mode : default;

    // EPOLLPRI goes with EPOLLIN: the kernel reports both for all new data (sock_def_readable).
    private static uint Interest(EpollHandle handle) =>
        Libc.EPOLLRDHUP | Libc.EPOLLET | (handle.WantsReadable ? Libc.EPOLLIN | Libc.EPOLLPRI : 0) | (handle.WantsWritable ? Libc.EPOLLOUT : 0);

    private void RemoveToken(EpollHandle handle)
    {
        if (handle.Token != 0)
        {
            _tokens.Remove(handle.Token);
            handle.Token = 0;
        }
    }

    private unsafe int Control(int operation, SafeHandle handle, uint events, ulong token)
    {
        byte* native = stackalloc byte[EpollEvent.Size];
        EpollEvent.Write(native, events, token);
        return Libc.epoll_ctl(_epoll, operation, handle, native);
    }
}
