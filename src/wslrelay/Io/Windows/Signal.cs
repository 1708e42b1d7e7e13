using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using static Wslrelay.Io.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Waits for a foreign handle by the system's thread pool, whose callback posts this operation's packet and does nothing
/// else. Whoever comes first, callback or cancel, posts the one packet. Runs on the loop thread but for the callback.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Signal(CompletionPort port, SafeHandle signal, IIoOwner owner) : WatchOperation(owner)
{
    private OverlappedSlot? _slot;
    private nint _wait;
    private bool _signalHeld;

    protected internal override void Schedule()
    {
        _slot = port.RentSlot();
        signal.DangerousAddRef(ref _signalHeld);
        bool registered = RegisterWaitForSingleObject(
            out _wait, signal, &Signalled, _slot.Lend(this), INFINITE, WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD);
        int error = Marshal.GetLastPInvokeError();
        if (registered)
        {
            // It may have fired already: its packet is in the port, and the port is read after this.
            Pend();
            return;
        }

        // Failed: no callback will run, so the slot comes back here.
        _wait = 0;
        _slot.TakeBack();
        Complete(ToIoError(error), error);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
            return;
        }

        // The callback has posted, runs once only, and touches nothing of ours after it has posted: no need to wait for its return.
        Unregister(NoCompletionEvent);
        Complete();
    }

    protected internal override void CancelPending()
    {
        // After this no callback runs or will run; one that runs now only posts, so the wait for it is as long as that.
        // Then the packet is either on its way, or nobody but us will ever post it.
        Unregister(WaitForCallback);
        _slot!.PostOnce();
    }

    protected internal override void OnCompleted()
    {
        if (_signalHeld)
        {
            signal.DangerousRelease();
            _signalHeld = false;
        }

        if (_slot is not null)
        {
            port.ReturnSlot(_slot);
            _slot = null;
        }

        base.OnCompleted();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvStdcall)])]
    private static void Signalled(void* context, byte timedOut) => OverlappedSlot.Of((OVERLAPPED*)context).PostOnce();

    private void Unregister(nint how)
    {
        if (_wait != 0)
        {
            _ = UnregisterWaitEx(_wait, how);
            _wait = 0;
        }
    }
}
