using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Receives from a socket (recv(2)) or a pipe (read(2)).</summary>
[SupportedOSPlatform("linux")]
internal sealed class Receive(EpollPort port, EpollHandle from, IIoOwner owner) : Transfer(port, owner)
{
    protected internal override void Schedule()
    {
        from.Reader = this;
        from.Readable = true;
        Try();
    }

    protected internal override void OnCompleted()
    {
        from.Reader = null;
        base.OnCompleted();
    }

    protected override unsafe void Try()
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
