using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Receives from a socket (recv(2)) or a pipe (read(2)).</summary>
[SupportedOSPlatform("linux")]
internal sealed class Receive(EpollPort port, EpollHandle from, IIoOwner owner) : TransferOperation(owner)
{
    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        from.Reader = this;
        from.Readable = true;
        Try();
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
        }
        else
        {
            Try();
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => port.WakeOperation(this);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        from.Reader = null;
        base.OnCompleted();
    }

    private unsafe void Try()
    {
        fixed (byte* memory = Buffer.Span)
        {
            int error = NativeIo.Receive(from, memory, Buffer.Length, out int received);
            if (error == Errno.EAGAIN)
            {
                Pend();
                return;
            }

            BytesTransferred = received;
            bool broke = error != 0 || (received == 0 && from.IsSocket && from.Broken);
            Complete(broke ? Errno.ToIoError(error == 0 ? Errno.ECONNRESET : error) : IoError.None, error);
        }
    }
}

/// <summary>Sends all of a piece of memory to a socket (send(2)) or a pipe (write(2)).</summary>
[SupportedOSPlatform("linux")]
internal sealed class Send(EpollPort port, EpollHandle to, IIoOwner owner) : TransferOperation(owner)
{
    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        to.Writer = this;
        BytesTransferred = 0;
        Try();
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
        }
        else
        {
            Try();
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => port.WakeOperation(this);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        to.Writer = null;
        base.OnCompleted();
    }

    private unsafe void Try()
    {
        fixed (byte* memory = Buffer.Span)
        {
            while (BytesTransferred < Buffer.Length)
            {
                int error = NativeIo.Send(to, memory + BytesTransferred, Buffer.Length - BytesTransferred, out int sent);
                if (error == Errno.EAGAIN)
                {
                    Pend();
                    return;
                }

                if (error != 0)
                {
                    Complete(Errno.ToIoError(error), error);
                    return;
                }

                BytesTransferred += sent;
            }
        }

        Complete();
    }
}
