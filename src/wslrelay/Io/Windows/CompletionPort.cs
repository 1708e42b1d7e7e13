using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Kernel32;

namespace Wslrelay.Io.Windows;

/// <summary>
/// The wait on Windows: an I/O completion port. A packet's OVERLAPPED leads to its slot, and the slot to its operation; the completion key
/// is not used. FILE_SKIP_COMPLETION_PORT_ON_SUCCESS is never set: a call that did not fail at once has exactly one packet, and no
/// handle starves the others by completing at once. Loop thread only, but for Wake and Post.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class CompletionPort : IoPort
{
    /// <summary>What no packet tells of is tried again so much later.</summary>
    internal const int RetryMilliseconds = 100;

    private const int MaxBatch = 256;
    private const int MaxSlotsKept = 1024;
    private const ushort Winsock22 = 0x0202;
    private const int MaxWsaDataSize = 512;

    private readonly SafeWaitHandle _port;
    private readonly ListenerFactory _listeners;
    private readonly Stack<OverlappedSlot> _slots = new();
    private readonly Queue<Accept> _starved = new();
    private readonly ActionTimer _roomTimer;
    private readonly Dictionary<ushort, Mswsock> _extensions = [];
    private SafeWaitHandle? _thread;
    private DatagramCalls? _datagrams;

    internal CompletionPort(int keepaliveSeconds = 0)
    {
        KeepaliveSeconds = keepaliveSeconds;
        _listeners = new ListenerFactory(this);
        _roomTimer = new ActionTimer(ResumeStarved);

        // For the whole process, until its end: Winsock counts the starts, so one too many does no harm.
        byte* data = stackalloc byte[MaxWsaDataSize];
        int error = Ws2_32.WSAStartup(Winsock22, data);
        if (error != 0)
            throw NativeError.Exception(error, "WSAStartup");

        _port = CreateIoCompletionPort(-1, 0, 0, 1);
        error = NativeError.ErrorUnless(!_port.IsInvalid);
        if (error != 0)
            throw NativeError.Exception(error, "completion port");
    }

    /// <summary>Slots lent to the kernel: calls whose packet has not been taken.</summary>
    internal int InFlight { get; set; }

    /// <summary>The idle time before a TCP keepalive probe; 0: the system's.</summary>
    internal int KeepaliveSeconds { get; }

    /// <summary>Accepts in flight beyond the first of each listener.</summary>
    internal int ExtraAccepts { get; set; }

    /// <summary>Lets a test be a system that has no socket left.</summary>
    internal bool RefuseSockets { get; set; }

    internal DatagramCalls Datagrams => _datagrams ??= new DatagramCalls();

    internal LoopbackListeners LoopbackListeners { get; } = new();

    public override bool CanIgnoreHangUp => false;

    public override long ThreadMicroseconds =>
        _thread is not null && GetThreadTimes(_thread, out _, out _, out long kernel, out long user) ? (kernel + user) / 10 : 0;

    public override IoPort CreateForLoop() => new CompletionPort(KeepaliveSeconds);

    public override bool Adopt(IoSocket socket)
    {
        var adopted = (WindowsSocket)socket;
        if (Associate(adopted) != 0)
        {
            adopted.Close(abort: true);
            return false;
        }

        adopted.SetConnectionOptions();
        return true;
    }

    public override void BindThread()
    {
        SafeWaitHandle thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, bInheritHandle: false, GetCurrentThreadId());
        _thread = thread.IsInvalid ? null : thread;
    }

    public override IoSocket Listen(in IoEndpoint endpoint) => _listeners.Listen(endpoint);

    public override string? FindOwner(in IoEndpoint endpoint, int milliseconds) => PortOwners.Find(endpoint);

    public override AcceptOperation Accept(IoSocket listener, IAcceptOwner owner) => new Accept(this, (WindowsSocket)listener, owner);

    public override ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner) => new Connect(this, endpoint, owner);

    public override TransferOperation Send(IoHandle to, IIoOwner owner) => new Transfer(this, to, send: true, owner);

    public override TransferOperation Receive(IoHandle from, IIoOwner owner) => new Transfer(this, from, send: false, owner);

    public override PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner, ChunkMode chunks = ChunkMode.None) =>
        chunks == ChunkMode.Write
            ? throw new NotSupportedException("Only an agent on Linux sends chunks.")
            : new Pump(this, (WindowsSocket)from, (WindowsSocket)to, counter, owner, chunks == ChunkMode.Read ? new ChunkParser() : null);

    public override IoSocket ConnectDatagrams(in IoEndpoint endpoint)
    {
        WindowsSocket? socket = WindowsSocket.TryCreate(this, SocketAddress.FamilyOf(endpoint)!.Value, out int error, isDatagram: true);
        if (socket is not null)
            error = socket.Connect(endpoint);

        if (error == 0)
            error = socket!.PrepareDatagrams(isWildcard: false);

        if (error == 0)
            error = Associate(socket!);

        if (error == 0)
            return socket!;

        socket?.Dispose();
        throw NativeError.Exception(error, endpoint.ToString());
    }

    public override IoOperation ReceiveDatagrams(IoSocket socket, IDatagramOwner owner) => new DatagramReceive(this, (WindowsSocket)socket, owner);

    public override DatagramsSent SendDatagrams(IoSocket socket, DatagramBatch batch, int first, int count, in InternetAddress to = default, in InternetAddress from = default) =>
        Datagrams.Send((WindowsSocket)socket, batch, first, count, to, from);

    public override IoOperation Watch(SafeHandle signal, IIoOwner owner) => new Signal(this, signal, owner);

    public override SafeHandle OpenSignal(long number) => ForeignHandle.OpenInherited(number);

    public override SafeHandle OpenProcess(int id) => ForeignHandle.OpenProcess(id);

    public override IoHandle? TryOpenPipe(SafeHandle pipe, bool write) => WindowsPipe.TryOpen(this, pipe);

    public override void RequireSupport(IoEndpointKind kind)
    {
        if (kind is not (IoEndpointKind.Tcp or IoEndpointKind.HvSocket))
            throw new IoException(IoError.NotSupported, 0, $"{kind} sockets are not available on Windows.");

        if (kind == IoEndpointKind.Tcp)
            return;

        using WindowsSocket? socket = WindowsSocket.TryCreate(this, Ws2_32.AF_HYPERV, out int error);
        if (socket is null)
        {
            throw new IoException(
                NativeError.ToIoError(error), error,
                $"This machine has no Hyper-V sockets (error {error}): the Virtual Machine Platform or Hyper-V feature of Windows is needed.");
        }
    }

    public override int Wait(Span<IoEvent> events, int timeoutMilliseconds)
    {
        OVERLAPPED_ENTRY* entries = stackalloc OVERLAPPED_ENTRY[MaxBatch];
        uint room = (uint)Math.Min(events.Length, MaxBatch);
        int error = NativeError.ErrorUnless(GetQueuedCompletionStatusEx(_port, entries, room, out uint removed, (uint)timeoutMilliseconds, fAlertable: false));
        if (error != 0)
            return error == WAIT_TIMEOUT ? 0 : throw NativeError.Exception(error, "completion port");

        int count = 0;
        for (uint i = 0; i < removed; i++)
        {
            OVERLAPPED* overlapped = entries[i].lpOverlapped;
            if (overlapped is null)
                continue; // Wake

            var slot = OverlappedSlot.Of(overlapped);
            int status = (int)overlapped->Internal;
            int failure = status >= 0 ? 0 : (int)Ntdll.RtlNtStatusToDosError(status);
            events[count++] = new IoEvent(slot.TakeBack(), slot, entries[i].dwNumberOfBytesTransferred, failure);
        }

        return count;
    }

    public override void Wake() => Post(null);

    /// <summary>Calls back after 100 ms, once. It may no longer be wanted by then.</summary>
    internal void RetryLater(Action retry) => Timers.Start(new ActionTimer(retry), RetryMilliseconds);

    /// <summary>Posts a packet: a slot's own, or null to wake. For any thread.</summary>
    internal void Post(OVERLAPPED* overlapped)
    {
        try
        {
            // A lost packet would be waited for without end.
            if (!PostQueuedCompletionStatus(_port, 0, 0, overlapped))
                Environment.FailFast($"PostQueuedCompletionStatus failed: {Marshal.GetLastPInvokeError()}.");
        }
        catch (ObjectDisposedException) when (overlapped is null)
        {
            // Another thread wakes a port that has been closed: nobody waits there any more.
        }
    }

    /// <summary>Associates a handle with this port, for life; returns the error.</summary>
    internal int Associate(SafeHandle handle) => NativeError.ErrorUnless(CreateIoCompletionPort(handle, _port, 0, 0) != 0);

    /// <summary>The extension functions for sockets of that family; null, and the error, where there are none.</summary>
    internal Mswsock? Extensions(WindowsSocket socket, out int error)
    {
        error = 0;
        if (_extensions.TryGetValue(socket.Family, out Mswsock? known))
            return known;

        Mswsock? loaded = Mswsock.Load(socket, out error);
        if (loaded is not null)
            _extensions.Add(socket.Family, loaded);

        return loaded;
    }

    /// <summary>Lends a slot until <see cref="ReturnSlot"/>.</summary>
    internal OverlappedSlot RentSlot() => _slots.TryPop(out OverlappedSlot? slot) ? slot : new OverlappedSlot(this);

    /// <summary>Takes a slot back, if there is one. It is not lent to the kernel.</summary>
    internal void ReturnSlot(ref OverlappedSlot? slot)
    {
        if (slot is null)
            return;

        Debug.Assert(!slot.IsLent, "a slot was given back while the kernel has it");
        if (_slots.Count < MaxSlotsKept)
            _slots.Push(slot);
        else
            slot.Free();

        slot = null;
    }

    /// <summary>Has <see cref="Windows.Accept.OnRoomMade"/> called when there may be handles and memory again.</summary>
    internal void WaitForRoom(Accept accept)
    {
        _starved.Enqueue(accept);
        if (_roomTimer.Index < 0)
            Timers.Start(_roomTimer, RetryMilliseconds);
    }

    internal void OnSocketClosed()
    {
        if (_starved.Count > 0)
            Timers.Start(_roomTimer, 0);
    }

    private void ResumeStarved()
    {
        for (int left = _starved.Count; left > 0; left--)
            _starved.Dequeue().OnRoomMade();
    }

    public override void Dispose()
    {
        Debug.Assert(InFlight == 0, "the port is closed while the kernel has slots of it");
        Debug.Assert(Buffers.RentedCount == 0, "the port is closed while buffers are lent");
        while (_slots.TryPop(out OverlappedSlot? slot))
            slot.Free();

        _datagrams?.Dispose();
        _thread?.Dispose();
        _port.Dispose();
    }
}
