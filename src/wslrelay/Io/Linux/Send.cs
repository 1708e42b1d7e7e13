using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Sends all of a piece of memory to a socket or a pipe, with <see cref="TransferOperation.Attached"/> at its first byte if there is one.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Send(EpollPort port, EpollHandle to, IIoOwner owner) : TransferOperation(to, owner)
{
    private EpollHandle To => (EpollHandle)Handle;

    protected internal override void Schedule()
    {
        To.Writer = this;
        BytesTransferred = 0;
        Try();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else
            Try();
    }

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        To.Writer = null;
        base.OnCompleted();
    }

    private unsafe void Try()
    {
        fixed (byte* memory = Buffer.Span)
        {
            while (BytesTransferred < Buffer.Length)
            {
                int left = Buffer.Length - BytesTransferred;
                To.PrepareSend(left);
                int result = Attached is EpollHandle attached && BytesTransferred == 0
                    ? AttachedSocket.Send(To, memory, left, attached)
                    : To.Send(memory + BytesTransferred, left);
                if (result == -Errno.EAGAIN)
                {
                    Pend();
                    return;
                }

                if (result < 0)
                {
                    Complete(Errno.ToIoError(-result), -result);
                    return;
                }

                BytesTransferred += result;
            }
        }

        Complete();
    }
}
