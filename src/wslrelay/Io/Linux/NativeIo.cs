using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>One read or write of a descriptor, with what it tells of its readiness noted.</summary>
[SupportedOSPlatform("linux")]
internal static class NativeIo
{
    /// <summary>Returns 0 and the bytes (0 bytes: the end), or an errno; EAGAIN when there is nothing yet.</summary>
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
            {
                continue;
            }

            received = 0;
            OnReceiveResult(from, -error, size);
            return error;
        }
    }

    /// <summary>
    /// Takes what a receive has returned, bytes or an errno below zero, before the epoll is asked again. A short read means dry, unless the end is
    /// near: that was one edge, and it has been used up.
    /// </summary>
    internal static void OnReceiveResult(EpollHandle from, int result, int size)
    {
        if (result != -Errno.EINTR)
        {
            from.Readable = result == size || (result >= 0 && (from.Ended || from.HasUrgent));
        }
    }

    /// <summary>Takes what a send has returned, likewise.</summary>
    internal static void NoteSent(EpollHandle to, int result)
    {
        if (result == -Errno.EAGAIN)
        {
            to.MarkNotWritable();
        }
    }

    /// <summary>Returns 0 and the bytes that the kernel took, or an errno; EAGAIN when it took none.</summary>
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
            {
                continue;
            }

            sent = 0;
            NoteSent(to, -error);
            return error;
        }
    }
}
