using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>One send or receive on a socket or a pipe, tried at once and at each wake-up. Loop thread only.</summary>
/// <param name="port">The port.</param>
/// <param name="handle">The socket or pipe.</param>
/// <param name="send">Sends all of the buffer; else receives once.</param>
/// <param name="owner">The owner.</param>
/// <param name="attached">The socket that goes with the first byte of a send; null for none.</param>
/// <param name="takesSocket">Receives by <see cref="AttachedSocket"/>.</param>
[SupportedOSPlatform("linux")]
internal sealed class Transfer(EpollPort port, EpollHandle handle, bool send, IIoOwner owner, EpollHandle? attached = null, bool takesSocket = false)
    : TransferOperation(owner)
{
    protected internal override void Schedule()
    {
        BytesTransferred = 0;
        Attached = null;
        if (send)
        {
            handle.Writer = this;
            Send();
        }
        else
        {
            handle.Reader = this;
            handle.Readable = true;
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
            handle.Writer = null;
        else
            handle.Reader = null;

        base.OnCompleted();
    }

    private unsafe void Send()
    {
        fixed (byte* memory = Buffer.Span)
        {
            while (BytesTransferred < Buffer.Length)
            {
                int left = Buffer.Length - BytesTransferred;
                handle.PrepareSend(left);
                int result = attached is not null && BytesTransferred == 0
                    ? AttachedSocket.Send(handle, memory, left, attached)
                    : handle.Send(memory + BytesTransferred, left);
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
        EpollHandle? received = null;
        int result;
        fixed (byte* memory = Buffer.Span)
        {
            result = takesSocket
                ? AttachedSocket.Receive(handle, memory, Buffer.Length, out received, out isRefused)
                : handle.Receive(memory, Buffer.Length);
        }

        Attached = received;
        BytesTransferred = Math.Max(result, 0);
        if (result < 0)
            PendOrFail(result);
        else if (isRefused)
            Complete(IoError.BadDescriptor, 0);
        else if (result == 0 && handle.IsSocket && handle.Broken)
            Complete(IoError.Reset, 0);
        else
            Complete();
    }

    private void PendOrFail(int result)
    {
        if (result == -Errno.EAGAIN)
            Pend();
        else
            Complete(Errno.ToIoError(-result), -result);
    }
}
