using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Sends all of a piece of memory to a socket (send(2)) or a pipe (write(2)).</summary>
[SupportedOSPlatform("linux")]
internal sealed class Send(EpollPort port, EpollHandle to, IIoOwner owner) : Transfer(port, owner)
{
    protected internal override void Schedule()
    {
        to.Writer = this;
        BytesTransferred = 0;
        Try();
    }

    protected internal override void OnCompleted()
    {
        to.Writer = null;
        base.OnCompleted();
    }

    protected override unsafe void Try()
    {
        fixed (byte* memory = Buffer.Span)
        {
            while (BytesTransferred < Buffer.Length)
            {
                to.PrepareSend(Buffer.Length - BytesTransferred);
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
