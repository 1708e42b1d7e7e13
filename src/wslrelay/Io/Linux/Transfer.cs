using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>What a receive and a send have in common: a try now, and again at each wake-up.</summary>
[SupportedOSPlatform("linux")]
internal abstract class Transfer(EpollPort port, IIoOwner owner) : TransferOperation(owner)
{
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

    /// <summary>Makes the call. Leaves the operation pending or completed.</summary>
    protected abstract void Try();
}
