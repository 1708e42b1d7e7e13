using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Sends and receives bytes over a Unix socket with TCP sockets attached to the first of them: a connected one, and unconnected ones behind it (unix(7), SCM_RIGHTS). Loop
/// thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal static unsafe class AttachedSocket
{
    // For what is received there is room for no more either: the kernel closes what does not fit, and the flags tell.
    private const int MaxSpares = 64;

    private static readonly int MaxControlSize = sizeof(Libc.ControlHeader) + ((1 + MaxSpares) * sizeof(int));

    /// <summary>Returns the bytes that the kernel took, or a negative errno. What is made for it is closed here in either case.</summary>
    /// <param name="to">A Unix socket.</param>
    /// <param name="memory">The bytes.</param>
    /// <param name="size">How many.</param>
    /// <param name="attached">The connected socket.</param>
    /// <param name="spareCount">How many unconnected ones may go with it.</param>
    internal static int Send(EpollHandle to, byte* memory, int size, EpollHandle attached, int spareCount)
    {
        byte* control = stackalloc byte[MaxControlSize];
        int* descriptors = (int*)((Libc.ControlHeader*)control + 1);
        descriptors[0] = (int)attached.DangerousGetHandle();
        Span<int> spares = new(descriptors + 1, Math.Min(spareCount, MaxSpares));
        spares = spares[..Open(attached, spares)];
        int result = Send(to, memory, size, control, 1 + spares.Length);
        if (result < 0 && result != -Errno.EAGAIN && spares.Length > 0)
        {
            // So many may be too many on their way (ETOOMANYREFS).
            result = Send(to, memory, size, control, 1);
        }

        foreach (int spare in spares)
            Close(to.Port, spare);

        if (result == -Errno.EAGAIN)
            to.MarkNotWritable();

        // The open socket lives on at the other side, and would go on waking this epoll after its descriptor here is closed (epoll(7)).
        if (result >= 0 && attached.Token != 0)
            attached.Port.Unregister(attached);

        return result;
    }

    /// <summary>Returns bytes, 0 at the end of the stream, or a negative errno. Refused is anything that does not begin with a connected socket; it has been closed.</summary>
    /// <param name="from">A Unix socket.</param>
    /// <param name="memory">Where the bytes go.</param>
    /// <param name="size">How many at most.</param>
    /// <param name="spares">Takes the unconnected ones, which are not registered; null: they are closed.</param>
    /// <param name="attached">The connected one, the caller's to close, and not registered; null where none came.</param>
    /// <param name="isRefused">Whether something came that is not taken.</param>
    internal static int Receive(EpollHandle from, byte* memory, int size, Queue<IoSocket>? spares, out EpollHandle? attached, out bool isRefused)
    {
        byte* control = stackalloc byte[MaxControlSize];
        var vector = new Libc.IoVector { Base = memory, Length = (nuint)size };
        var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)MaxControlSize };
        int result;
        do
        {
            result = Errno.Result(Libc.recvmsg(from, &message, Libc.MSG_DONTWAIT | Libc.MSG_CMSG_CLOEXEC));
        }
        while (result == -Errno.EINTR);

        from.OnReceiveResult(result, size);

        // A receive ends behind the bytes that something is attached to.
        from.Readable |= result > 0 && message.ControlLength > 0;
        attached = null;
        isRefused = result >= 0 && !TryTake(from.Port, message, spares, out attached);
        return result;
    }

    private static int Send(EpollHandle to, byte* memory, int size, byte* control, int count)
    {
        var header = (Libc.ControlHeader*)control;
        *header = new Libc.ControlHeader { Length = (nuint)(sizeof(Libc.ControlHeader) + (count * sizeof(int))), Level = Libc.SOL_SOCKET, Type = Libc.SCM_RIGHTS };
        var vector = new Libc.IoVector { Base = memory, Length = (nuint)size };
        var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = header->Length };
        int result;
        do
        {
            result = Errno.Result(Libc.sendmsg(to, &message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT));
        }
        while (result == -Errno.EINTR);

        return result;
    }

    // Unconnected sockets, as many as there are descriptors for that nothing else needs. Returns how many.
    private static int Open(EpollHandle like, Span<int> sockets)
    {
        int domain = sockets.IsEmpty ? 0 : like.GetOption(Libc.SOL_SOCKET, Libc.SO_DOMAIN);
        for (int i = 0; i < sockets.Length; i++)
        {
            int socket = SocketAddress.Open(domain, Libc.SOCK_STREAM);
            if (socket < 0)
                return i;

            if (!like.Port.HasDescriptorsToSpare(socket))
            {
                Close(like.Port, socket);
                return i;
            }

            TcpOptions.DisablePacing(socket);
            sockets[i] = socket;
        }

        return sockets.Length;
    }

    private static void Close(EpollPort port, int descriptor)
    {
        _ = Libc.close(descriptor);
        port.OnDescriptorClosed();
    }

    // False where something came that is not taken.
    private static bool TryTake(EpollPort port, in Libc.MessageHeader message, Queue<IoSocket>? spares, out EpollHandle? attached)
    {
        attached = null;
        var header = (Libc.ControlHeader*)message.Control;
        if (message.ControlLength < (nuint)sizeof(Libc.ControlHeader) || header->Level != Libc.SOL_SOCKET || header->Type != Libc.SCM_RIGHTS)
            return (message.Flags & Libc.MSG_CTRUNC) == 0;

        // One header at the most: credentials and the like come only to a socket that asked for them. Where not all have found room, the first have, which
        // is enough where spare ones were asked for.
        var descriptors = new ReadOnlySpan<int>(header + 1, (int)((header->Length - (nuint)sizeof(Libc.ControlHeader)) / sizeof(int)));
        bool isWhole = spares is not null || (descriptors.Length == 1 && (message.Flags & Libc.MSG_CTRUNC) == 0);
        if (isWhole && descriptors.Length > 0 && AreUnconnectedTcp(descriptors[1..]) && IsConnectedTcp(descriptors[0], out bool wasReset) && IsNonBlocking(descriptors[0]))
        {
            attached = NewHandle(port, descriptors[0]);
            descriptors = descriptors[1..];

            // The error may have been told to the other process, and is told once.
            if (wasReset)
                attached.MarkBroken();
        }

        foreach (int descriptor in descriptors)
        {
            if (attached is not null && spares is not null && port.HasDescriptorsToSpare(descriptor) && IsNonBlocking(descriptor))
                spares.Enqueue(NewHandle(port, descriptor));
            else
                _ = Libc.close(descriptor);
        }

        return attached is not null;
    }

    private static EpollHandle NewHandle(EpollPort port, int descriptor) => new(port, descriptor, isSocket: true) { IsConnection = true, NagleEnabled = true };

    // No other family, and no datagram socket, has TCP_INFO. One that was reset is closed, and yet may hold what it received before.
    // The state is its first byte; qemu, where it plays the kernel, gives four and no count of segments.
    private static bool IsConnectedTcp(int descriptor, out bool wasReset)
    {
        bool isTcp = EpollHandle.TryGetInfo(descriptor, out Libc.tcp_info info, 1);
        wasReset = info.tcpi_state == Libc.TCP_CLOSE;
        return isTcp && info.tcpi_state is not (Libc.TCP_LISTEN or Libc.TCP_SYN_SENT) && (!wasReset || info.tcpi_segs_in > 0);
    }

    private static bool AreUnconnectedTcp(ReadOnlySpan<int> descriptors)
    {
        foreach (int descriptor in descriptors)
        {
            if (!EpollHandle.TryGetInfo(descriptor, out Libc.tcp_info info, 1) || info.tcpi_state != Libc.TCP_CLOSE || info.tcpi_segs_in != 0)
                return false;
        }

        return true;
    }

    private static bool IsNonBlocking(int descriptor)
    {
        int flags = Libc.fcntl(descriptor, Libc.F_GETFL, 0);
        return flags >= 0 && ((flags & Libc.O_NONBLOCK) != 0 || Libc.fcntl(descriptor, Libc.F_SETFL, flags | Libc.O_NONBLOCK) == 0);
    }
}
