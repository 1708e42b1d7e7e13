using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Sends bytes over a Unix socket with a connected socket attached to the first of them (unix(7), SCM_RIGHTS).</summary>
[SupportedOSPlatform("linux")]
internal sealed class SendSocket(EpollPort port, EpollHandle to, EpollHandle attached, IIoOwner owner) : Transfer(port, owner)
{
    protected internal override void Schedule()
    {
        to.Writer = this;
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
            byte* control = stackalloc byte[sizeof(Libc.ControlHeader) + sizeof(long)];
            *(Libc.ControlHeader*)control = new Libc.ControlHeader
            {
                Length = (nuint)(sizeof(Libc.ControlHeader) + sizeof(int)),
                Level = Libc.SOL_SOCKET,
                Type = Libc.SCM_RIGHTS,
            };
            *(int*)(control + sizeof(Libc.ControlHeader)) = (int)attached.DangerousGetHandle();
            var vector = new Libc.IoVector { Base = memory, Length = (nuint)Buffer.Length };
            var message = new Libc.MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)(sizeof(Libc.ControlHeader) + sizeof(long)),
            };

            nint sent;
            do
            {
                sent = Libc.sendmsg(to, &message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
            }
            while (sent < 0 && Errno.Last == Errno.EINTR);

            int error = sent < 0 ? Errno.Last : 0;
            if (error == Errno.EAGAIN)
            {
                to.MarkNotWritable();
                Pend();
                return;
            }

            BytesTransferred = (int)Math.Max(sent, 0);
            if (error == 0 && attached.Token != 0)
            {
                // The open socket lives on at the other side, and would go on waking this epoll after its descriptor here is closed (epoll(7)).
                attached.Port.Unregister(attached);
            }

            Complete(Errno.ToIoError(error), error);
        }
    }
}
