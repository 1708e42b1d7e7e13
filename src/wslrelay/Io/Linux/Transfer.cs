using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>One send or receive on a socket or a pipe, tried at once and at each wake-up. Loop thread only.</summary>
/// <param name="port">The port.</param>
/// <param name="handle">The socket or pipe.</param>
/// <param name="send">Sends all of the buffer; else receives once.</param>
/// <param name="owner">The owner.</param>
/// <param name="takesSocket">Receives by <see cref="AttachedSocket"/>, as a send with <see cref="TransferOperation.Attached"/> sends.</param>
[SupportedOSPlatform("linux")]
internal sealed class Transfer(EpollPort port, EpollHandle handle, bool send, IIoOwner owner, bool takesSocket = false)
    : TransferOperation(handle, owner)
{
    private int _received = -1;

    private EpollHandle Socket => (EpollHandle)Handle;

    public override void TakeAttached()
    {
        if (_received < 0)
            return;

        int received = _received;
        _received = -1;
        port.Replace(Socket, received);
    }

    public override void DropAttached()
    {
        if (_received >= 0)
            _ = Libc.close(_received);

        _received = -1;
    }

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
            DropAttached();
            Socket.Reader = this;
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
                    ? AttachedSocket.Send(Socket, memory, left, attached)
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
                ? AttachedSocket.Receive(Socket, memory, Buffer.Length, out _received, out isRefused)
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

    private void PendOrFail(int result)
    {
        if (result == -Errno.EAGAIN)
            Pend();
        else
            Complete(Errno.ToIoError(-result), -result);
    }
}
