using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Wslrelay.Io.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Waits for a foreign handle with the system's thread pool, whose callback only posts this operation's packet. Callback or cancel,
/// whichever is first, posts the one packet. Loop thread only, but for the callback.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Signal(CompletionPort port, SafeHandle signal, IIoOwner owner) : IoOperation(owner)
{
    private OverlappedSlot? _slot;
    private nint _wait;

    protected internal override void Schedule()
    {
        _slot = port.RentSlot();
        bool isHeld = false;
        signal.DangerousAddRef(ref isHeld);
        int error = ErrorUnless(RegisterWaitForSingleObject(
            out _wait, signal, &Signalled, _slot.Lend(this), INFINITE, WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD));

        // It may have fired already: its packet is in the port, and the port is read after this. Failed: no callback will run.
        if (_slot.AwaitsPacket(error))
            Pend();
        else
            Complete(ToIoError(error), error);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
            return;
        }

        // The callback runs once and touches nothing of ours after it has posted: no need to wait for its return.
        _ = UnregisterWaitEx(_wait, NoCompletionEvent);
        Complete();
    }

    protected internal override void CancelPending()
    {
        // Waits for a callback that is running, which only posts. After this the packet is on its way, or only we can post it.
        _ = UnregisterWaitEx(_wait, WaitForCallback);
        _slot!.PostOnce();
    }

    protected internal override void OnCompleted()
    {
        if (_slot is not null)
            signal.DangerousRelease();

        port.ReturnSlot(ref _slot);
        base.OnCompleted();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static void Signalled(void* context, byte timedOut) => OverlappedSlot.Of((OVERLAPPED*)context).PostOnce();
}
