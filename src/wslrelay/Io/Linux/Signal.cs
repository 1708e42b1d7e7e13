using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Watches a foreign descriptor, level-triggered, until it is readable or hung up. It is never read, so that other processes see the signal too.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Signal(EpollPort port, SafeHandle signal, IIoOwner owner) : IoOperation(owner)
{
    private EpollHandle? _watched;

    protected internal override void Schedule()
    {
        _watched = new EpollHandle(port, signal.DangerousGetHandle(), isSocket: false, ownsDescriptor: false) { Reader = this };
        int error = port.Register(_watched, Libc.EPOLLIN);
        if (error == 0)
            Pend();
        else
            Complete(Errno.ToIoError(error), error);
    }

    protected internal override void Collect(in IoEvent wake) => Complete(CancelReason == IoError.None ? IoError.None : IoError.Cancelled, 0);

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        if (_watched is { Token: not 0 })
            port.Unregister(_watched);

        _watched?.Dispose();
        _watched = null;
        GC.KeepAlive(signal);
        base.OnCompleted();
    }
}
