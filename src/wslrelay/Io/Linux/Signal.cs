using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Watches a foreign descriptor, level-triggered, until it is readable or hung up. It is never read, so others see the signal too.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Signal : WatchOperation
{
    private readonly EpollPort _port;
    private readonly EpollHandle _watched;
    private readonly SafeHandle _signal;

    internal Signal(EpollPort port, SafeHandle signal, IIoOwner owner)
        : base(owner)
    {
        _port = port;
        _signal = signal;
        _watched = new EpollHandle(port, signal.DangerousGetHandle(), isSocket: false, ownsDescriptor: false);
    }

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        _watched.Reader = this;
        try
        {
            _port.Register(_watched, Libc.EPOLLIN);
            Pend();
        }
        catch (IoException e)
        {
            Complete(e.Error, e.NativeError);
        }
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake) => Complete(CancelReason == IoError.None ? IoError.None : IoError.Cancelled, 0);

    /// <inheritdoc/>
    protected internal override void CancelPending() => _port.WakeOperation(this);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        if (_watched.Token != 0)
        {
            _port.Unregister(_watched);
        }

        _watched.Reader = null;
        GC.KeepAlive(_signal);
        base.OnCompleted();
    }
}
