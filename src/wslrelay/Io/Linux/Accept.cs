using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Accepts from one listener with accept4(2), level-triggered, some at each event so that no listener starves the rest.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Accept(EpollPort port, EpollHandle listener, IAcceptOwner owner) : AcceptOperation(owner)
{
    private const int MaxPerEvent = 64;

    // A connection that waited in the backlog when its listener was unmapped is a connection all the same.
    private const int MaxWhenCancelled = 4096;

    private int _batch = 1;
    private long _lastTurn;

    /// <summary>Takes the listener up again after it was parked. False if it has ended meanwhile.</summary>
    internal bool TryResume()
    {
        if (State != IoState.Pending || listener.Reader != this)
        {
            return false;
        }

        try
        {
            port.Register(listener, Libc.EPOLLIN);
        }
        catch (IoException)
        {
            port.Reserve.Park(this);
        }

        return true;
    }

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        listener.Reader = this;
        try
        {
            port.Register(listener, Libc.EPOLLIN);
            Pend();
        }
        catch (IoException e)
        {
            Complete(e.Error, e.NativeError);
        }
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        bool ends = CancelReason != IoError.None;

        // One call more than there are connections only finds that out: take one, and twice as many at each event that follows at once.
        _batch = port.Turn - _lastTurn <= 1 ? Math.Min(_batch * 2, MaxPerEvent) : 1;
        _lastTurn = port.Turn;
        AcceptPending(ends ? MaxWhenCancelled : _batch);
        if (ends)
        {
            Complete(IoError.Cancelled, 0);
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => port.WakeOperation(this);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        listener.Reader = null;
        base.OnCompleted();
    }

    private unsafe void AcceptPending(int most)
    {
        for (int i = 0; i < most; i++)
        {
            if (!port.Reserve.CanAccept)
            {
                ParkIfNoSpare();
                return;
            }

            int descriptor = Libc.accept4(listener, null, null, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            if (descriptor < 0)
            {
                int error = Errno.Last;
                if (Errno.ToIoError(error) == IoError.TooManyOpenFiles)
                {
                    Park();
                    return;
                }

                if (error == Errno.EAGAIN)
                {
                    return;
                }

                // Anything else is the fault of that one connection (accept(2), "Error handling"): on to the next.
                continue;
            }

            port.Reserve.OnAccepted(descriptor);
            EpollHandle socket = new(port, descriptor, isSocket: true) { IsConnection = true, Readable = true, HidesResets = listener.HidesResets };
            try
            {
                port.Register(socket);
            }
            catch (IoException)
            {
                socket.Close(abort: true);
                continue;
            }

            Acceptor.Accepted(socket);
        }
    }

    // A promise ends with the turn, and epoll then reports the listener again; a reserve that is spent takes a close to come back.
    private void ParkIfNoSpare()
    {
        if (!port.Reserve.HasSpare)
        {
            Park();
        }
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
