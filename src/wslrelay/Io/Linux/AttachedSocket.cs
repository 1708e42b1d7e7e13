using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Sends and receives bytes over a Unix socket with a connected TCP socket attached to the first of them (unix(7), SCM_RIGHTS). Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe class AttachedSocket
{
    // Room for more than is taken: the kernel closes what does not fit, and the flags tell.
    private const int MaxDescriptors = 4;

    /// <summary>Returns the bytes that the kernel took, or a negative errno.</summary>
    internal static int Send(EpollHandle to, byte* memory, int size, EpollHandle attached)
    {
        int controlSize = sizeof(Libc.ControlHeader) + sizeof(long);
        byte* control = stackalloc byte[controlSize];
        var header = (Libc.ControlHeader*)control;
        *header = new Libc.ControlHeader { Length = (nuint)(sizeof(Libc.ControlHeader) + sizeof(int)), Level = Libc.SOL_SOCKET, Type = Libc.SCM_RIGHTS };
        *(int*)(header + 1) = (int)attached.DangerousGetHandle();
        var vector = new Libc.IoVector { Base = memory, Length = (nuint)size };
        var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)controlSize };
        int result;
        do
        {
            result = Errno.Result(Libc.sendmsg(to, &message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT));
        }
        while (result == -Errno.EINTR);

        if (result == -Errno.EAGAIN)
            to.MarkNotWritable();

        // The open socket lives on at the other side, and would go on waking this epoll after its descriptor here is closed (epoll(7)).
        if (result >= 0 && attached.Token != 0)
            attached.Port.Unregister(attached);

        return result;
    }

    /// <summary>Returns bytes, 0 at the end of the stream, or a negative errno. Refused is anything but one socket; it has been closed.</summary>
    /// <param name="from">A Unix socket.</param>
    /// <param name="memory">Where the bytes go.</param>
    /// <param name="size">How many at most.</param>
    /// <param name="attached">The caller's to close, and not registered; null where none came.</param>
    /// <param name="isRefused">Whether something came that is not taken.</param>
    internal static int Receive(EpollHandle from, byte* memory, int size, out EpollHandle? attached, out bool isRefused)
    {
        int controlSize = sizeof(Libc.ControlHeader) + (MaxDescriptors * sizeof(int));
        byte* control = stackalloc byte[controlSize];
        var vector = new Libc.IoVector { Base = memory, Length = (nuint)size };
        var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)controlSize };
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
        isRefused = result >= 0 && !TryTake(from.Port, message, out attached);
        return result;
    }

    // False where something came that is not taken.
    private static bool TryTake(EpollPort port, in Libc.MessageHeader message, out EpollHandle? attached)
    {
        attached = null;
        bool truncated = (message.Flags & Libc.MSG_CTRUNC) != 0;
        var header = (Libc.ControlHeader*)message.Control;
        if (message.ControlLength < (nuint)sizeof(Libc.ControlHeader) || header->Level != Libc.SOL_SOCKET || header->Type != Libc.SCM_RIGHTS)
            return !truncated;

        // One header at the most: credentials and the like come only to a socket that asked for them.
        var descriptors = new ReadOnlySpan<int>(header + 1, (int)((header->Length - (nuint)sizeof(Libc.ControlHeader)) / sizeof(int)));
        if (descriptors.Length == 1 && !truncated && IsConnectedTcp(descriptors[0], out bool wasReset) && IsNonBlocking(descriptors[0]))
        {
            attached = new EpollHandle(port, descriptors[0], isSocket: true) { IsConnection = true, NagleEnabled = true };

            // The error may have been told to the other process, and is told once.
            if (wasReset)
                attached.MarkBroken();

            return true;
        }

        foreach (int descriptor in descriptors)
            _ = Libc.close(descriptor);

        return false;
    }

    // No other family, and no datagram socket, has TCP_INFO. One that was reset is closed, and yet may hold what it received before.
    // The state is its first byte; qemu, where it plays the kernel, gives four and no count of segments.
    private static bool IsConnectedTcp(int descriptor, out bool wasReset)
    {
        bool isTcp = EpollHandle.TryGetInfo(descriptor, out Libc.tcp_info info, 1);
        wasReset = info.tcpi_state == Libc.TCP_CLOSE;
        return isTcp && info.tcpi_state is not (Libc.TCP_LISTEN or Libc.TCP_SYN_SENT) && (!wasReset || info.tcpi_segs_in > 0);
    }

    private static bool IsNonBlocking(int descriptor)
    {
        int flags = Libc.fcntl(descriptor, Libc.F_GETFL, 0);
        return flags >= 0 && ((flags & Libc.O_NONBLOCK) != 0 || Libc.fcntl(descriptor, Libc.F_SETFL, flags | Libc.O_NONBLOCK) == 0);
    }
}
