using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Receives bytes from a Unix socket, and with them a socket that the peer may have attached (unix(7), SCM_RIGHTS). Only one connected TCP socket is
/// taken: every other descriptor is closed at once.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ReceiveSocket(EpollPort port, EpollHandle from, IIoOwner owner) : Transfer(port, owner)
{
    // Room for more than is taken: the kernel closes what does not fit, and the flags tell.
    private const int MaxDescriptors = 4;

    protected internal override void Schedule()
    {
        from.Reader = this;
        from.Readable = true;
        Attached = null;
        Try();
    }

    protected internal override void OnCompleted()
    {
        from.Reader = null;
        base.OnCompleted();
    }

    protected override unsafe void Try()
    {
        fixed (byte* memory = Buffer.Span)
        {
            int controlSize = sizeof(Libc.ControlHeader) + (MaxDescriptors * sizeof(int));
            byte* control = stackalloc byte[controlSize];
            var vector = new Libc.IoVector { Base = memory, Length = (nuint)Buffer.Length };
            var message = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = (nuint)controlSize };

            nint received;
            do
            {
                received = Libc.recvmsg(from, &message, Libc.MSG_DONTWAIT | Libc.MSG_CMSG_CLOEXEC);
            }
            while (received < 0 && Errno.Last == Errno.EINTR);

            int error = received < 0 ? Errno.Last : 0;
            NativeIo.OnReceiveResult(from, error == 0 ? (int)received : -error, Buffer.Length);
            if (error == Errno.EAGAIN)
            {
                Pend();
                return;
            }

            BytesTransferred = (int)Math.Max(received, 0);
            if (error == 0 && !TryTakeAttached(message))
            {
                Complete(IoError.BadDescriptor, 0);
                return;
            }

            bool broke = error != 0 || (received == 0 && from.Broken);
            Complete(broke ? Errno.ToIoError(error == 0 ? Errno.ECONNRESET : error) : IoError.None, error);
        }
    }

    // False where something came that is not taken.
    private unsafe bool TryTakeAttached(in Libc.MessageHeader message)
    {
        bool truncated = (message.Flags & Libc.MSG_CTRUNC) != 0;
        var header = (Libc.ControlHeader*)message.Control;
        if (message.ControlLength < (nuint)sizeof(Libc.ControlHeader) || header->Level != Libc.SOL_SOCKET || header->Type != Libc.SCM_RIGHTS)
            return !truncated;

        // One header at the most: credentials and the like come only to a socket that asked for them.
        var descriptors = new ReadOnlySpan<int>(header + 1, (int)((header->Length - (nuint)sizeof(Libc.ControlHeader)) / sizeof(int)));
        if (descriptors.Length == 1 && !truncated && TryAdopt(descriptors[0]) is { } socket)
        {
            Attached = socket;
            return true;
        }

        foreach (int descriptor in descriptors)
            _ = Libc.close(descriptor);

        return false;
    }

    // Null where it is anything but a connected TCP socket; the descriptor is then still the caller's.
    private EpollHandle? TryAdopt(int descriptor)
    {
        var socket = new EpollHandle(Port, descriptor, isSocket: true) { IsConnection = true, Readable = true, NagleEnabled = true };
        int flags = Libc.fcntl(descriptor, Libc.F_GETFL, 0);
        bool isConnectedTcp = socket.GetOption(Libc.SOL_SOCKET, Libc.SO_TYPE) == Libc.SOCK_STREAM
            && socket.GetOption(Libc.SOL_SOCKET, Libc.SO_PROTOCOL) == Libc.IPPROTO_TCP
            && socket.GetOption(Libc.SOL_SOCKET, Libc.SO_ACCEPTCONN) == 0
            && (socket.HasPeer || socket.HasReceivedSegments);
        if (isConnectedTcp && flags >= 0 && Libc.fcntl(descriptor, Libc.F_SETFL, flags | Libc.O_NONBLOCK) == 0)
        {
            try
            {
                Port.Register(socket);
                if (!socket.HasPeer)
                {
                    // Reset by now; the error may have been told to the agent, and is told once.
                    socket.MarkBroken();
                }

                Port.Keepalive.Add(socket);
                return socket;
            }
            catch (IoException)
            {
                // Out of memory for the wait: as good as no socket.
            }
        }

        socket.SetHandleAsInvalid();
        return null;
    }
}
