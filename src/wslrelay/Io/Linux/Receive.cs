using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Receives from a socket or a pipe, and with <paramref name="takesSocket"/> what <see cref="AttachedSocket"/> takes: tried at once, and at each wake-up.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Receive(EpollPort port, EpollHandle from, bool takesSocket, IIoOwner owner) : TransferOperation(from, owner)
{
    private int _attached = -1;

    private EpollHandle From => (EpollHandle)Handle;

    public override void TakeAttached()
    {
        if (_attached < 0)
            return;

        int attached = _attached;
        _attached = -1;
        port.Replace(From, attached);
    }

    public override void DropAttached()
    {
        if (_attached >= 0)
            _ = Libc.close(_attached);

        _attached = -1;
    }

    protected internal override void Schedule()
    {
        From.Reader = this;
        From.Readable = true;
        DropAttached();
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
        From.Reader = null;
        base.OnCompleted();
    }

    private unsafe void Try()
    {
        bool isRefused = false;
        int result;
        fixed (byte* memory = Buffer.Span)
        {
            result = takesSocket
                ? AttachedSocket.Receive(From, memory, Buffer.Length, out _attached, out isRefused)
                : From.Receive(memory, Buffer.Length);
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
        else if (result == 0 && From.IsSocket && From.Broken)
            Complete(IoError.Reset, 0);
        else
            Complete(Errno.ToIoError(error), error);
    }
}
