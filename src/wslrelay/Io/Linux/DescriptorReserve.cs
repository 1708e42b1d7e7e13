using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Keeps one spare descriptor, so that an accepted connection always gets a second one for its target. While it is used, or none is left, listeners
/// are parked: unregistered from epoll, with their connections in the kernel's backlog, until a descriptor is closed. One for the process, on the loop that listens;
/// other loops may ask whether descriptors are needed or scarce, take the spare, and tell of closes.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class DescriptorReserve(IoTimers timers) : IoTimer, IDisposable
{
    // The kernel assigns the lowest free number, so one this close to the limit means that descriptors are scarce.
    private const int ScarceMargin = 256;

    // Parked listeners go on when this process closes a descriptor; in case other processes hold them all, some are tried again each second.
    private const int ParkedRetryMilliseconds = 1000;
    private const int ParkedPerRetry = 64;

    private readonly Queue<Accept> _parked = new();
    private readonly long _limit = RaiseLimit();
    private SafeFileHandle? _spare = OpenSpare();
    private volatile bool _isReserved;
    private int _flowCount;
    private int _closedElsewhere;

    /// <summary>Whether the next connection can have a second descriptor. When they are scarce, the connection that was accepted last must have opened its target's socket first.</summary>
    internal bool CanAccept => HasSpare && !_isReserved;

    internal bool HasSpare => _spare is not null;

    /// <summary>Whether a closed descriptor has an immediate use.</summary>
    internal bool NeedsDescriptor => !HasSpare || HasParked;

    internal bool HasParked => _parked.Count > 0;

    /// <summary>Reserves the spare for the accepted connection, until the end of the turn, if descriptors are scarce, and returns whether they are.</summary>
    internal bool OnAccepted(int descriptor) => _isReserved = IsScarce(descriptor);

    /// <summary>Whether a new descriptor with this number leaves few for connections.</summary>
    internal bool IsScarce(int descriptor) => descriptor >= _limit - ScarceMargin;

    /// <summary>Whether it leaves too few for a flow to have it: those that are scarce go to flows only as long as these have fewer than are left.</summary>
    internal bool IsScarceForFlow(int descriptor) => IsScarce(descriptor) && Volatile.Read(ref _flowCount) >= _limit - descriptor;

    /// <summary>A socket of a flow was opened (1) or closed (-1). For any thread.</summary>
    internal void CountFlow(int change) => Interlocked.Add(ref _flowCount, change);

    /// <param name="closed">How many descriptors the loop that listens has closed in this turn.</param>
    internal void EndTurn(int closed)
    {
        _isReserved = false;
        if (Volatile.Read(ref _closedElsewhere) > 0)
            closed += Interlocked.Exchange(ref _closedElsewhere, 0);

        if (closed > 0)
            Replenish(closed);
    }

    /// <summary>Closes the spare; true if that freed a descriptor. Another loop than the one that listens leaves what is reserved.</summary>
    internal bool CloseSpare(bool isOther = false)
    {
        if (isOther && _isReserved)
            return false;

        SafeFileHandle? spare = Interlocked.Exchange(ref _spare, null);
        spare?.Dispose();
        return spare is not null;
    }

    /// <summary>Another loop has closed so many; its port then wakes the one that listens.</summary>
    internal void OnClosedElsewhere(int closed) => Interlocked.Add(ref _closedElsewhere, closed);

    internal void Park(Accept accept)
    {
        _parked.Enqueue(accept);
        if (Index < 0)
            timers.Start(this, ParkedRetryMilliseconds);
    }

    // Pipes, or other processes' descriptors, may have been closed.
    protected internal override void OnExpired()
    {
        Replenish(ParkedPerRetry);
        if (HasParked && Index < 0)
            timers.Start(this, ParkedRetryMilliseconds);
    }

    public void Dispose() => _spare?.Dispose();

    // Reopens the spare if possible, and resumes as many listeners as were closed. One that finds no descriptor parks again: nothing spins.
    private void Replenish(int closed)
    {
        _spare ??= OpenSpare();
        while (HasSpare && closed > 0 && _parked.TryDequeue(out Accept? accept))
        {
            if (accept.TryResume())
                closed--;
        }
    }

    private static SafeFileHandle? OpenSpare()
    {
        int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    // Raises the soft limit of open descriptors to the hard one (getrlimit(2)), and returns it.
    private static long RaiseLimit()
    {
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out Libc.RLimit limit) != 0)
            return long.MaxValue;

        if (limit.Current < limit.Maximum)
        {
            limit.Current = limit.Maximum;
            _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, in limit);
        }

        return (long)Math.Min(limit.Maximum, long.MaxValue);
    }
}
