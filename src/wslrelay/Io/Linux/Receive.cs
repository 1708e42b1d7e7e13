using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Receives from a socket or a pipe, and with <paramref name="takesSocket"/> what <see cref="AttachedSocket"/> takes: tried at once, and at each wake-up.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Receive(EpollPort port, EpollHandle from, bool takesSocket, IIoOwner owner) : TransferOperation(owner)
{
    protected internal override void Schedule()
    {
        from.Reader = this;
        from.Readable = true;
        Attached = null;
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
        from.Reader = null;
        base.OnCompleted();
    }

    private unsafe void Try()
    {
        bool isRefused = false;
        int result;
        fixed (byte* memory = Buffer.Span)
        {
            if (takesSocket)
            {
                result = AttachedSocket.Receive(from, memory, Buffer.Length, out EpollHandle? attached, out isRefused);
                Attached = attached;
            }
            else
            {
                result = from.Receive(memory, Buffer.Length);
            }
        }

        if (result == -Errno.EAGAIN)
        {
            Pend();
            return;
        }

        BytesTransferred = Math.Max(result, 0);
        int error = Math.Max(-result, 0);
        if (isRefused)
            Complete(IoError.BadDescriptor, 0);
        else if (result == 0 && from.IsSocket && from.Broken)
            Complete(IoError.Reset, 0);
        else
            Complete(Errno.ToIoError(error), error);
    }
}
