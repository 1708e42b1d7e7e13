using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// One send of all of the buffer, or one receive, on a socket or a pipe, tried at once and at each wake-up. One that takes a socket receives by
/// <see cref="AttachedSocket"/>, as a send with <see cref="TransferOperation.Attached"/> sends. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Transfer(EpollPort port, EpollHandle handle, bool send, IIoOwner owner, bool takesSocket = false)
    : TransferOperation(handle, owner)
{
    private EpollHandle? _received;

    private EpollHandle Socket => (EpollHandle)Handle;

    public override IoSocket? TakeAttached()
    {
        EpollHandle? received = _received;
        _received = null;
        return received;
    }

    public override void DropAttached() => TakeAttached()?.Close(abort: false);

    protected internal override void Schedule()
    {
        BytesTransferred = 0;
        if (send)
        {
            Socket.Writer = this;
            Send();
        }
        else
        {
            Socket.Reader = this;
            if (Socket.IsConnection && !Socket.Readable)
            {
                // Drained: epoll reports what comes next.
                Pend();
                return;
            }

            Socket.Readable = true;
            Receive();
        }
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else if (send)
            Send();
        else
            Receive();
    }

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        if (send)
            Socket.Writer = null;
        else
            Socket.Reader = null;

        base.OnCompleted();
    }

    private unsafe void Send()
    {
        fixed (byte* memory = Buffer.Span)
        {
            while (BytesTransferred < Buffer.Length)
            {
                int left = Buffer.Length - BytesTransferred;
                Socket.PrepareSend(left);
                int result = Attached is EpollHandle attached && BytesTransferred == 0
                    ? AttachedSocket.Send(Socket, memory, left, attached, SpareCount)
                    : Socket.Send(memory + BytesTransferred, left);
                if (result < 0)
                {
                    PendOrFail(result);
                    return;
                }

                BytesTransferred += result;
            }
        }

        Complete();
    }

    private unsafe void Receive()
    {
        bool isRefused = false;
        int result;
        fixed (byte* memory = Buffer.Span)
        {
            result = takesSocket
                ? ReceiveSocket(memory, out isRefused)
                : Socket.Receive(memory, Buffer.Length);
        }

        BytesTransferred = Math.Max(result, 0);
        if (result < 0)
            PendOrFail(result);
        else if (isRefused)
            Complete(IoError.BadDescriptor, 0);
        else if (result == 0 && Socket.IsSocket && Socket.Broken)
            Complete(IoError.Reset, 0);
        else
            Complete();
    }

    // A second socket is none that was asked for.
    private unsafe int ReceiveSocket(byte* memory, out bool isRefused)
    {
        int result = AttachedSocket.Receive(Socket, memory, Buffer.Length, Spares, out EpollHandle? attached, out isRefused);
        isRefused |= attached is not null && _received is not null;
        if (isRefused)
            attached?.Close(abort: false);
        else
            _received ??= attached;

        return result;
    }

    private void PendOrFail(int result)
    {
        if (result == -Errno.EAGAIN)
            Pend();
        else
            Complete(Errno.ToIoError(-result), -result);
    }
}
