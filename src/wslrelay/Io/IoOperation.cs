using System.Diagnostics;

namespace Wslrelay.Io;

internal enum IoState : byte
{
    /// <summary>Nothing is in flight: the loop will call <see cref="IoOperation.Schedule"/>.</summary>
    Standby,

    /// <summary>The kernel or the port's list of waiters holds it: the loop will call <see cref="IoOperation.Collect"/>.</summary>
    Pending,

    /// <summary>Ended; the kernel holds nothing of it. It may be started again.</summary>
    Completed,
}

/// <summary>Starts operations and is notified of their completion, on the loop thread.</summary>
internal interface IIoOwner
{
    /// <summary>The kernel holds nothing of the operation any more: it may be started again, and its socket may be closed.</summary>
    void Completed(IoOperation operation);
}

/// <summary>
/// An asynchronous operation: accept, connect, send, receive, pump or watch (its counterpart in WSL's source is <c>OverlappedIOHandle</c>). A state machine
/// (<see cref="IoState"/>) that knows whether a wake-up means "finished" (completion port) or "try again" (epoll); the loop only
/// dispatches wake-ups. Loop thread only.
/// </summary>
internal abstract class IoOperation(IIoOwner owner)
{
    public IoState State { get; private set; } = IoState.Completed;

    /// <summary>The result, valid once <see cref="State"/> is <see cref="IoState.Completed"/>.</summary>
    public IoError Error { get; private set; }

    /// <summary>The errno or Win32 error behind <see cref="Error"/>; 0 if there is none.</summary>
    public int NativeError { get; private set; }

    /// <summary>Why it was cancelled; <see cref="IoError.None"/> if it was not.</summary>
    public IoError CancelReason { get; private set; }

    /// <summary>It moves much: what else has come goes first.</summary>
    internal virtual bool IsBulk => false;

    // The neighbours in the loop's list of operations that have not completed.
    internal IoOperation? Previous { get; set; }

    internal IoOperation? Next { get; set; }

    /// <summary>
    /// Makes the call, or tries again. Leaves the operation <see cref="IoState.Pending"/> (a wake-up will follow),
    /// <see cref="IoState.Standby"/> (call again after the others) or <see cref="IoState.Completed"/>.
    /// </summary>
    protected internal abstract void Schedule();

    /// <summary>Handles one wake-up, and may leave any of the three states; once <see cref="CancelReason"/> is set it makes no further call.</summary>
    protected internal abstract void Collect(in IoEvent wake);

    /// <summary>Requests cancellation of the pending call. Never completes here: the wake-up that follows does.</summary>
    protected internal abstract void CancelPending();

    /// <summary>Called once for each completion, when the kernel holds nothing any more: the only place where slots and buffers are released.</summary>
    protected internal virtual void OnCompleted() => owner.Completed(this);

    internal void Begin()
    {
        Debug.Assert(State == IoState.Completed, "an operation was started while it runs");
        State = IoState.Standby;
        Error = IoError.None;
        NativeError = 0;
        CancelReason = IoError.None;
    }

    /// <summary>The owner is notified later, never inside this call. Only the first reason counts; does nothing if the operation has completed.</summary>
    public void Cancel(IoError reason = IoError.Cancelled)
    {
        if (State == IoState.Completed || CancelReason != IoError.None)
            return;

        CancelReason = reason;
        if (State == IoState.Pending)
            CancelPending();
    }

    /// <summary>For one that was cancelled before it was scheduled.</summary>
    internal void CompleteCancelled() => Complete(CancelReason, 0);

    protected void Pend() => State = IoState.Pending;

    /// <summary>Lets the other operations run first.</summary>
    protected void Yield() => State = IoState.Standby;

    protected void Complete() => Complete(IoError.None, 0);

    /// <summary>Completes. If the call failed because it was cancelled, the reason of the cancel is the result.</summary>
    protected void Complete(IoError error, int nativeError)
    {
        Debug.Assert(State != IoState.Completed, "an operation ended twice");
        State = IoState.Completed;
        (Error, NativeError) = error is IoError.Cancelled && CancelReason != IoError.None ? (CancelReason, 0) : (error, nativeError);
    }
}
