using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// The wait on Linux: one epoll. Sockets are registered once, edge-triggered, and what is asked of them changes seldom; listeners and watched
/// descriptors level-triggered. A wake-up is dispatched by its token, in which a closed descriptor's stale events are not found.
/// Loop thread, but for <see cref="Wake"/>.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class EpollPort : IoPort
{
    /// <summary>Bytes in the buffer of a receive that is gathered: one that fills it was a burst that is worth a splice.</summary>
    internal const int BatchBufferSize = 16 * 1024;

    private const ulong WakeToken = 0;
    private const int MaxBatch = 256;

    // Parked listeners wait for something of ours to be closed; where others hold the descriptors, some look again each second.
    private const int ParkedRetryMilliseconds = 1000;
    private const int ParkedPerRetry = 64;

    // There is no event for room in a Unix listener's backlog, nor for what a peer has taken.
    private const int RetryMilliseconds = 20;

    private readonly EpollHandle _epoll;
    private readonly EpollHandle _wake;
    private readonly EpollTokens _tokens = new();
    private readonly Queue<IoOperation> _requestedWakeUps = new();
    private readonly byte[] _native = GC.AllocateUninitializedArray<byte>(MaxBatch * EpollEvent.Size, pinned: true);
    private readonly HashSet<IoOperation> _retries = [];
    private readonly Dictionary<EpollHandle, string> _files = [];
    private int _closedCount;
    private long _nextParkedRetry;
    private long _nextRetry;

    /// <summary>Opens the epoll and raises the soft limit of descriptors to the hard one.</summary>
    /// <param name="callMode">How the calls for data are made; null for what the environment says.</param>
    /// <param name="resetIdleMilliseconds">How long a reset waits for a side that takes nothing.</param>
    /// <exception cref="IoException">The process has no descriptors left.</exception>
    public EpollPort(CallMode? callMode = null, int resetIdleMilliseconds = PendingResets.MaxIdleMilliseconds)
    {
        _epoll = new EpollHandle(this, Check(Libc.epoll_create1(Libc.EPOLL_CLOEXEC), "epoll_create1"), isSocket: false);
        _wake = new EpollHandle(this, Check(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd"), isSocket: false);
        Control(Libc.EPOLL_CTL_ADD, _wake, Libc.EPOLLIN | Libc.EPOLLET, WakeToken);
        Reserve = new DescriptorReserve();
        Resets = new PendingResets(this, resetIdleMilliseconds);
        Calls = new CallBatch(callMode ?? CallModeOfEnvironment());
    }

    /// <summary>The descriptor kept back for the second half of a connection.</summary>
    internal DescriptorReserve Reserve { get; }

    /// <summary>Counts the waits.</summary>
    internal long Turn { get; private set; }

    /// <summary>How data passes.</summary>
    internal PumpMode PumpMode { get; init; } = Environment.GetEnvironmentVariable("WSLRELAY_PUMP") switch
    {
        "copy" => PumpMode.Copy,
        "splice" => PumpMode.Splice,
        _ => PumpMode.Adaptive,
    };

    /// <summary>The calls that are made together.</summary>
    internal CallBatch Calls { get; }

    internal PendingResets Resets { get; }

    /// <summary>The pipes through which bulk passes.</summary>
    internal SplicePipePool Pipes { get; } = new();

    /// <summary>The memory for receives that are gathered: some for each, and as many again for those whose receivers are slow.</summary>
    internal BufferPool BatchBuffers { get; } = new(BatchBufferSize, 2 * CallBatch.Capacity);

    /// <summary>The memory through which small data passes; a direction that cannot get rid of it at once keeps it until it has.</summary>
    internal BufferPool Buffers { get; } = new();

    /// <inheritdoc/>
    public override AcceptOperation Accept(IoSocket listener, IAcceptOwner owner) => new Accept(this, (EpollHandle)listener, owner);

    /// <inheritdoc/>
    public override ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner) => new Connect(this, endpoint, owner);

    /// <inheritdoc/>
    public override TransferOperation Send(IoHandle to, IIoOwner owner) => new Send(this, (EpollHandle)to, owner);

    /// <inheritdoc/>
    public override TransferOperation Receive(IoHandle from, IIoOwner owner) => new Receive(this, (EpollHandle)from, owner);

    /// <inheritdoc/>
    public override PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner) =>
        new Pump((EpollHandle)from, (EpollHandle)to, counter, owner);

    /// <inheritdoc/>
    public override WatchOperation Watch(SafeHandle signal, IIoOwner owner) => new Signal(this, signal, owner);

    /// <inheritdoc/>
    public override unsafe void Wake()
    {
        ulong one = 1;
        _ = Libc.write(_wake, (byte*)&one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public override void EndTurn()
    {
        Calls.Execute();
        Reserve.EndTurn();
        long now = Reserve.HasParked || _retries.Count > 0 ? Environment.TickCount64 : 0;
        if (_closedCount > 0)
        {
            Reserve.Replenish(_closedCount);
            _closedCount = 0;
        }
        else if (Reserve.HasParked && now >= _nextParkedRetry)
        {
            // Pipes were closed, or others gave descriptors back.
            Reserve.Replenish(ParkedPerRetry);
            _nextParkedRetry = now + ParkedRetryMilliseconds;
        }

        if (_retries.Count > 0 && now >= _nextRetry)
        {
            foreach (IoOperation operation in _retries)
            {
                WakeOperation(operation);
            }

            _retries.Clear();
        }
    }

    /// <summary>Wakes an operation a moment later, for what no event tells: once, however often it asks.</summary>
    internal void RetryLater(IoOperation operation)
    {
        if (_retries.Count == 0)
        {
            _nextRetry = Environment.TickCount64 + RetryMilliseconds;
        }

        _ = _retries.Add(operation);
    }

    /// <summary>Delivers a wake-up to <paramref name="operation"/> with the next <see cref="Wait"/>: how a cancel ends.</summary>
    internal void WakeOperation(IoOperation operation) => _requestedWakeUps.Enqueue(operation);

    /// <summary>
    /// Takes a socket or pipe into the epoll for life. Room to write is reported only once it was missing: most never lack it, and
    /// would be reported at once for nothing.
    /// </summary>
    internal void Register(EpollHandle handle) => Register(handle, Interest(handle));

    /// <summary>Has reported what the handle now wants to hear of, and at once what of it is there already (epoll_ctl(2), EPOLL_CTL_MOD).</summary>
    internal void UpdateInterest(EpollHandle handle) =>
        Control(Libc.EPOLL_CTL_MOD, handle, Interest(handle), handle.Token);

    /// <summary>Takes a descriptor into the epoll.</summary>
    /// <exception cref="IoException">Not a descriptor that can be waited for, or no memory.</exception>
    internal void Register(EpollHandle handle, uint events)
    {
        ulong token = _tokens.Add(handle);
        handle.Token = token;
        try
        {
            Control(Libc.EPOLL_CTL_ADD, handle, events, token);
        }
        catch (IoException)
        {
            RemoveToken(handle);
            throw;
        }
    }

    /// <summary>Takes a descriptor out again that stays open.</summary>
    internal void Unregister(EpollHandle handle)
    {
        Control(Libc.EPOLL_CTL_DEL, handle, 0, 0);
        RemoveToken(handle);
    }

    /// <summary>
    /// From now on its events are stale. The descriptor goes at once, or with others at the end of the turn where nobody waits for it to be gone: whoever
    /// gets its number next gets another token.
    /// </summary>
    internal void Release(EpollHandle handle, bool canWait)
    {
        RemoveToken(handle);
        if (!canWait || Reserve.NeedsDescriptor || !Calls.TryAdd(SystemCall.Close(handle)))
        {
            handle.Dispose();
            OnDescriptorClosed();
        }
    }

    /// <summary>Takes away the file of a listening Unix socket; does nothing for any other handle.</summary>
    internal void RemoveFile(EpollHandle handle)
    {
        if (_files.Remove(handle, out string? path))
        {
            UnixListenerPath.Remove(path);
        }
    }

    /// <summary>A descriptor is free again.</summary>
    internal void OnDescriptorClosed() => _closedCount++;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Calls.Dispose();
            EndTurn();
            Reserve.Dispose();
            Pipes.Dispose();
            _wake.Dispose();
            _epoll.Dispose();
        }
    }

    private static CallMode CallModeOfEnvironment() => Environment.GetEnvironmentVariable("WSLRELAY_CALLS") switch
    {
        "single" => CallMode.Single,
        "ring" => CallMode.Ring,
        _ => CallMode.Adaptive,
    };

    // A socket says of everything that has come that it may be urgent (sock_def_readable), so that the two go together.
    private static uint Interest(EpollHandle handle) =>
        Libc.EPOLLRDHUP | Libc.EPOLLET | (handle.WantsReadable ? Libc.EPOLLIN | Libc.EPOLLPRI : 0) | (handle.WantsWritable ? Libc.EPOLLOUT : 0);

    private static int Check(int result, string call) => result >= 0 ? result : throw Errno.Exception(Errno.Last, call);

    private void RemoveToken(EpollHandle handle)
    {
        if (handle.Token != 0)
        {
            _tokens.Remove(handle.Token);
            handle.Token = 0;
        }
    }

    private unsafe void Control(int operation, EpollHandle handle, uint events, ulong token)
    {
        byte* native = stackalloc byte[EpollEvent.Size];
        EpollEvent.Write(native, events, token);
        if (Libc.epoll_ctl(_epoll, operation, handle, native) != 0)
        {
            throw Errno.Exception(Errno.Last, "epoll_ctl");
        }
    }
}
