using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Non-blocking reads and writes that update the readiness of their descriptor.</summary>
[SupportedOSPlatform("linux")]
internal static class NativeIo
{
    /// <summary>Returns 0 and the bytes (0 bytes: the end of the stream), or an errno; EAGAIN if there is no data yet.</summary>
    internal static unsafe int Receive(EpollHandle from, byte* buffer, int size, out int received)
    {
        while (true)
        {
            nint result = from.IsSocket
                ? Libc.recv(from, buffer, (nuint)size, Libc.MSG_DONTWAIT)
                : Libc.read(from, buffer, (nuint)size);
            if (result >= 0)
            {
                received = (int)result;
                OnReceiveResult(from, received, size);
                return 0;
            }

            int error = Errno.Last;
            if (error == Errno.EINTR)
                continue;

            received = 0;
            OnReceiveResult(from, -error, size);
            return error;
        }
    }

    /// <summary>
    /// Updates the readiness after a receive returned bytes or a negative errno; must be called before epoll is polled again. A short read means
    /// that the socket is drained, unless the end of the stream has been reported: its edge will not come again.
    /// </summary>
    internal static void OnReceiveResult(EpollHandle from, int result, int size)
    {
        if (result != -Errno.EINTR)
            from.Readable = result == size || (result >= 0 && (from.Ended || from.HasUrgent));
    }

    /// <summary>
    /// Updates the readiness after a send, likewise. The kernel tells an error once: a receive of the same batch that comes after the send
    /// returns 0, and must not be taken for the end of the stream.
    /// </summary>
    internal static void OnSendResult(EpollHandle to, int result)
    {
        if (result == -Errno.EAGAIN)
            to.MarkNotWritable();
        else if (result < 0 && result != -Errno.EINTR)
            to.MarkBroken();
    }

    /// <summary>Returns 0 and the bytes that the kernel took, or an errno; EAGAIN if it took none.</summary>
    internal static unsafe int Send(EpollHandle to, byte* buffer, int size, out int sent)
    {
        while (true)
        {
            nint result = to.IsSocket
                ? Libc.send(to, buffer, (nuint)size, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT)
                : Libc.write(to, buffer, (nuint)size);
            if (result >= 0)
            {
                sent = (int)result;
                return 0;
            }

            int error = Errno.Last;
            if (error == Errno.EINTR)
                continue;

            sent = 0;
            OnSendResult(to, -error);
            return error;
        }
    }
}
