using System.Diagnostics;

namespace Wslrelay.Io;

/// <summary>
/// Something that is waited for: an accept, a connect, a send, a receive, a pump, a signal (WSL: <c>OverlappedIOHandle</c>).
/// Its own machine of <see cref="IoState"/> knows whether a wake-up means "finished" (completion port) or "try again" (epoll);
/// the loop only learns that it was woken. Everything here runs on the loop thread.
/// </summary>
internal abstract class IoOperation
{
    private readonly IIoOwner _owner;

    /// <summary>Makes an operation that tells <paramref name="owner"/> of its end.</summary>
    protected IoOperation(IIoOwner owner) => _owner = owner;

    /// <summary>The state.</summary>
    public IoState State { get; private set; } = IoState.Completed;

    /// <summary>How it ended; meaningful once <see cref="State"/> is <see cref="IoState.Completed"/>.</summary>
    public IoError Error { get; private set; }

    /// <summary>The system's own number for <see cref="Error"/> (errno or a Win32 error); 0 where there is none.</summary>
    public int NativeError { get; private set; }

    /// <summary>Why it was asked to end before its time; <see cref="IoError.None"/> if it was not.</summary>
    public IoError CancelReason { get; private set; }

    /// <summary>The neighbours in the loop's list of operations that have not completed.</summary>
    internal IoOperation? Previous { get; set; }

    /// <inheritdoc cref="Previous"/>
    internal IoOperation? Next { get; set; }

    /// <summary>
    /// Makes the call, or tries again. Leaves the operation <see cref="IoState.Pending"/> (a wake-up will come),
    /// <see cref="IoState.Standby"/> (run me again after the others) or <see cref="IoState.Completed"/>.
    /// </summary>
    protected internal abstract void Schedule();

    /// <summary>
    /// Takes its wake-up: one packet, one call. Leaves the operation in any of the three states; once
    /// <see cref="CancelReason"/> is set it makes no further call.
    /// </summary>
    protected internal abstract void Collect(in IoEvent wake);

    /// <summary>Asks the kernel to give back what is pending. Never completes inside: only the wake-up that follows ends it.</summary>
    protected internal abstract void CancelPending();

    /// <summary>Called once an end, when the kernel has let go: here, and nowhere else, slots and buffers are given back.</summary>
    protected internal virtual void OnCompleted() => _owner.Completed(this);

    /// <summary>The loop takes it: from now on it is cancelled by <see cref="Cancel"/> only.</summary>
    internal void Begin()
    {
        Debug.Assert(State == IoState.Completed, "an operation was started while it runs");
        State = IoState.Standby;
        Error = IoError.None;
        NativeError = 0;
        CancelReason = IoError.None;
    }

    /// <summary>
    /// Asks it to end; its owner hears of it later, never inside this call. The first reason counts.
    /// Does nothing to an operation that has completed.
    /// </summary>
    public void Cancel(IoError reason = IoError.Cancelled)
    {
        if (State == IoState.Completed || CancelReason != IoError.None)
        {
            return;
        }

        CancelReason = reason;
        if (State == IoState.Pending)
        {
            CancelPending();
        }
    }

    /// <summary>Ends what was cancelled before it was scheduled.</summary>
    internal void EndCancelled() => Complete(CancelReason, 0);

    /// <summary>Waits for its wake-up.</summary>
    protected void Pend() => State = IoState.Pending;

    /// <summary>Gives the others their turn first.</summary>
    protected void Yield() => State = IoState.Standby;

    /// <summary>Ends well.</summary>
    protected void Complete() => Complete(IoError.None, 0);

    /// <summary>Ends. Where a cancel was asked for and the call failed for it, the reason of the cancel is what counts.</summary>
    protected void Complete(IoError error, int nativeError)
    {
        Debug.Assert(State != IoState.Completed, "an operation ended twice");
        State = IoState.Completed;
        (Error, NativeError) = error is IoError.Cancelled && CancelReason != IoError.None ? (CancelReason, 0) : (error, nativeError);
    }
}
