using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Accepts from one listener with accept4(2), level-triggered, a limited number at each event so that no listener starves the others.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Accept(EpollPort port, EpollHandle listener, IAcceptOwner owner) : AcceptOperation(owner)
{
    private const int MaxPerEvent = 64;

    // A cancelled accept empties the backlog first: for their clients those connections are established. Bounded, in case new ones cannot be kept out.
    private const int MaxPerEventWhenCancelled = 4096;
    private const int MaxRoundsWhenCancelled = 64;

    private int _batch = 1;
    private int _rounds;
    private long _lastPoll;

    /// <summary>Registers a parked listener again. False if the accept has completed meanwhile.</summary>
    internal bool TryResume()
    {
        if (State != IoState.Pending || listener.Reader != this)
            return false;

        if (port.Register(listener, Libc.EPOLLIN) != 0)
            port.Reserve.Park(this);

        return true;
    }

    protected internal override void Schedule()
    {
        listener.Reader = this;
        int error = port.Register(listener, Libc.EPOLLIN);
        if (error == 0)
            Pend();
        else
            Complete(Errno.ToIoError(error), error);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            EmptyBacklog();
            return;
        }

        // The last accept4 of a batch would only find the backlog empty: take one connection, and twice as many at each event that follows at once.
        _batch = port.PollCount - _lastPoll <= 1 ? Math.Min(_batch * 2, MaxPerEvent) : 1;
        _lastPoll = port.PollCount;
        _ = AcceptPending(_batch);
    }

    protected internal override void CancelPending()
    {
        // The filter takes some 0.1 ms, and its removal more: too much for thousands of listeners at the end of the relay.
        if (!listener.HidesResets && !port.IsStopping)
            TcpOptions.DropNewHandshakes(listener);

        port.WakeOperation(this);
    }

    protected internal override void OnCompleted()
    {
        listener.Reader = null;
        base.OnCompleted();
    }

    // Handshakes in progress complete meanwhile: the backlog counts as empty when a turn has brought no connection.
    private void EmptyBacklog()
    {
        if (!port.IsStopping && AcceptPending(MaxPerEventWhenCancelled) > 0 && ++_rounds < MaxRoundsWhenCancelled)
            port.WakeOperation(this);
        else
            Complete(IoError.Cancelled, 0);
    }

    // Returns the number of connections taken.
    private int AcceptPending(int max)
    {
        int count = 0;
        for (int i = 0; i < max; i++)
        {
            if (!port.Reserve.CanAccept)
            {
                // The spare is only reserved until the end of the turn, when epoll reports the listener again; one that is used comes back only when a descriptor is closed.
                if (!port.Reserve.HasSpare)
                    Park();

                return count;
            }

            int descriptor = AcceptOne();
            if (descriptor == -Errno.EAGAIN)
                return count;

            if (descriptor < 0)
            {
                if (Errno.ToIoError(-descriptor) == IoError.TooManyOpenFiles)
                {
                    Park();
                    return count;
                }

                // Any other error concerns that one connection (accept(2), "Error handling").
                continue;
            }

            port.TimeSlice.OnConnection();

            // Where descriptors are scarce the target's socket must be opened within this turn, and so here.
            IoLoop? other = port.Reserve.OnAccepted(descriptor) ? null : Acceptor.LoopOfNext;
            EpollHandle socket = new(other is null ? port : (EpollPort)other.Port, descriptor, isSocket: true)
            {
                IsConnection = true,
                Readable = true,
                HidesResets = listener.HidesResets,
                ResetsOnDeath = listener.ResetsOnDeath,
            };
            if (other is null && !IsToAdopt && !port.Adopt(socket))
                continue;

            count++;
            if (other is null)
                Acceptor.Accepted(socket);
            else
                Acceptor.AcceptedFor(other, socket);
        }

        return count;
    }

    // A descriptor, or a negative errno.
    private unsafe int AcceptOne()
    {
        int descriptor = Errno.Result(Libc.accept4(listener, null, null, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC));
        if (descriptor >= 0 || !Errno.IsRefused(-descriptor))
            return descriptor;

        descriptor = Errno.Result(Libc.accept(listener, null, null));
        if (descriptor >= 0)
        {
            _ = Libc.fcntl(descriptor, Libc.F_SETFD, Libc.FD_CLOEXEC);
            _ = Libc.fcntl(descriptor, Libc.F_SETFL, Libc.O_NONBLOCK);
        }

        return descriptor;
    }

    private void Park()
    {
        if (CancelReason == IoError.None && listener.Token != 0)
        {
            port.Unregister(listener);
            port.Reserve.Park(this);
        }
    }
}
