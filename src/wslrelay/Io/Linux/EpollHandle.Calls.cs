using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// Non-blocking calls that update the readiness of their descriptor.
internal sealed partial class EpollHandle
{
    // Fits into one segment on every link in use. If it does not, its last part is sent at once all the same: Linux delays a partial segment
    // only while another partial segment is unacknowledged (tcp_minshall_check).
    private const int MinSegmentSize = 500;
    private const int WideSendBufferSize = 1 << 20;

    /// <summary>Receives or reads. Returns bytes, 0 at the end of the stream, or a negative errno: EAGAIN if there is no data yet.</summary>
    internal unsafe int Receive(byte* buffer, int size)
    {
        int result;
        do
        {
            result = Errno.Result(IsSocket ? Libc.recv(this, buffer, (nuint)size, Libc.MSG_DONTWAIT) : Libc.read(this, buffer, (nuint)size));
        }
        while (result == -Errno.EINTR);

        OnReceiveResult(result, size);
        return result;
    }

    /// <summary>Sends or writes. Returns the bytes that the kernel took, or a negative errno: EAGAIN if it took none.</summary>
    internal unsafe int Send(byte* buffer, int size)
    {
        int result;
        do
        {
            result = Errno.Result(IsSocket
                ? Libc.send(this, buffer, (nuint)size, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL)
                : Libc.write(this, buffer, (nuint)size));
        }
        while (result == -Errno.EINTR);

        OnSendResult(result);
        return result;
    }

    /// <summary>
    /// Must be called before epoll is polled again. A short read means that the socket is drained, unless the end of the stream has been reported:
    /// its edge will not come again.
    /// </summary>
    internal void OnReceiveResult(int result, int size)
    {
        if (result != -Errno.EINTR)
            Readable = result == size || (result >= 0 && (Ended || HasUrgent));
    }

    /// <summary>The kernel tells an error once: a receive of the same batch after the send returns 0, which must not be taken for the end.</summary>
    internal void OnSendResult(int result)
    {
        if (result == -Errno.EAGAIN)
            MarkNotWritable();
        else if (result < 0 && result != -Errno.EINTR)
            MarkBroken();
    }

    /// <summary>
    /// Called before bytes are sent: sets TCP_NODELAY where this send could be delayed. Nagle's algorithm (RFC 9293, 3.7.4) delays only data
    /// that follows unacknowledged data, so the first segment needs no call, and a connection of one short request is spared it.
    /// </summary>
    internal void PrepareSend(int size)
    {
        if (!NagleEnabled)
            return;

        if (Is(Flags.HasSent) || size > MinSegmentSize)
        {
            // If the connection is broken already, the send reports it.
            TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
            NagleEnabled = false;
        }

        Set(Flags.HasSent, true);
    }

    /// <summary>For bulk that fills it: TCP's grows by itself; a Unix socket's stays at a fifth of a pipe. The kernel doubles the size (SO_SNDBUF).</summary>
    internal void WidenSendBuffer()
    {
        if (HidesResets && !Is(Flags.SendBufferWidened))
        {
            Set(Flags.SendBufferWidened, true);
            TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF, WideSendBufferSize);
        }
    }

    /// <summary>
    /// On a family that <see cref="HidesResets"/>: the peer has closed its socket, not only shut down its sending. A send of nothing then returns
    /// EPIPE (unix(7), vsock(7)).
    /// </summary>
    internal unsafe bool IsPeerGone() =>
        HidesResets && !SendEnded && Libc.send(this, null, 0, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT) < 0 && Errno.Last == Errno.EPIPE;
}
