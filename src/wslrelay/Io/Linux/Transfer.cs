using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>A receive or a send: tried at once, and again at each wake-up.</summary>
[SupportedOSPlatform("linux")]
internal abstract class Transfer(EpollPort port, IIoOwner owner) : TransferOperation(owner)
{
    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else
            Try();
    }

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected EpollPort Port => port;

    /// <summary>Makes the call. Leaves the operation pending or completed.</summary>
    protected abstract void Try();
}
