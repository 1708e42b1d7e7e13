using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Set by <c>WSLRELAY_PUMP</c>, for tests and troubleshooting.</summary>
internal enum PumpMode
{
    /// <summary>Each direction copies small data and splices bulk data.</summary>
    Adaptive,

    Copy,

    /// <summary>Everything is spliced, if the sockets support it.</summary>
    Splice,
}

/// <summary>
/// Copies one direction of a connection: small data with recv(2) and send(2), bulk with splice(2) through a pipe. Reads only when nothing is
/// left to send, so a side that does not read stops the other. Holds a buffer or a pipe only while it has unsent bytes. Each connection has
/// two, idle or not: every field counts twice.
/// </summary>
[SupportedOSPlatform("linux")]
internal partial class Pump(EpollHandle from, EpollHandle to, ByteCounter counter, IIoOwner owner)
    : PumpOperation(owner, counter)
{
    // The buffer or pipe with the unsent bytes, which are at [_start, _end); null if there are none.
    private object? _unsent;
    private int _start;
    private int _end;
    private bool _isBulk = from.Port.PumpMode == PumpMode.Splice;
    private bool _cannotSplice = from.Port.PumpMode == PumpMode.Copy;

    // A call of this direction is in the present batch: a receive if nothing is unsent, else a send.
    private bool _isQueued;

    /// <summary>Its last read filled the buffer or most of a pipe.</summary>
    internal override bool IsBulk => _isBulk;

    private protected EpollHandle From => from;

    private protected EpollHandle To => to;

    protected internal override void Schedule()
    {
        from.Reader = this;
        to.Writer = this;
        Move();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (_isQueued && wake.Source is null)
        {
            // The result of the batched call comes first; the sockets remember the rest.
            return;
        }

        if (CancelReason != IoError.None)
        {
            _isQueued = false;
            Complete(IoError.Cancelled, 0);
        }
        else if (wake.Source is null || OnResult(wake))
        {
            // Woken by more data, while there is still no room for what was read before.
            bool isBlocked = wake.Source is null && _unsent is not null && !to.Writable;
            if (isBlocked)
                from.PauseReading();

            // Bulk waits until everything else that was woken has run.
            if (_isBulk && !isBlocked)
                Yield();
            else
                Move();
        }
    }

    protected internal override void CancelPending() => from.Port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        from.Reader = null;
        to.Writer = null;
        Release();
        from.Port.Resets.Remove(this);
        base.OnCompleted();
    }

    private void Move()
    {
        int most = from.Port.PieceSize;
        for (int moved = 0; moved < most;)
        {
            if (to.Broken)
            {
                OnReceiverBroken();
                return;
            }

            if (_unsent is null)
            {
                if (!from.Readable)
                {
                    PendForMore();
                    return;
                }

                int error = _isBulk ? FillPipe(isFirst: moved == 0) : FillBuffer();
                if (_isQueued)
                {
                    Pend();
                    return;
                }

                if (_unsent is null)
                {
                    EndRead(error);
                    return;
                }
            }

            if (!to.Writable || !(_unsent is byte[] buffer ? FlushBuffer(buffer, ref moved) : FlushPipe((SplicePipe)_unsent, ref moved)))
            {
                Block();
                return;
            }

            Release();
        }

        Yield();
    }

    // Nothing was read: there is nothing yet, the sender broke, or it was the end.
    private void EndRead(int error)
    {
        if (error == Errno.EAGAIN)
        {
            PendForMore();
        }
        else if (error != 0 || from.Broken || from.IsPeerGone())
        {
            if (!from.Broken)
                from.MarkBroken();

            PassOnReset(to, error == 0 ? Errno.ECONNRESET : error);
        }
        else if (PassOnEnd())
        {
            from.ReadEnded = true;
            Complete();
        }
        else
        {
            // Not connected any more: the receiver broke in the meantime.
            to.MarkBroken();
            OnReceiverBroken();
        }
    }

    // Where the other direction has ended before, closing the socket sends the end.
    private protected virtual bool PassOnEnd() => to.ReadEnded || to.ShutdownSend();

    private void PendForMore()
    {
        if (from.Broken)
        {
            PassOnReset(to, Errno.ECONNRESET);
        }
        else
        {
            from.ResumeReading();
            Pend();
        }
    }

    private protected void SetUnsent(object unsent, int size)
    {
        _unsent = unsent;
        _start = 0;
        _end = size;
    }

    private void NoteSent(int bytes, ref int moved)
    {
        _start += bytes;
        moved += bytes;
        Counter.Add(bytes);
        if (from.Broken)
            from.Port.Resets.Remove(this);
    }

    private void Release()
    {
        if (_unsent is byte[] buffer)
            (buffer.Length == EpollPort.BatchBufferSize ? from.Port.BatchBuffers : from.Port.Buffers).Return(buffer);
        else if (_unsent is SplicePipe pipe)
            from.Port.Pipes.Return(pipe, isEmpty: _start == _end);

        _unsent = null;
    }

    private void Block()
    {
        if (_isQueued)
            Pend();
        else if (to.Broken)
            OnReceiverBroken();
        else if (from.Broken)
            PassOnReset(to, Errno.ECONNRESET);
        else
            Pend();
    }

    // The other direction still delivers what the receiving side had sent, and then meets the same error. If that direction has ended already,
    // this one passes the reset on.
    private void OnReceiverBroken()
    {
        if (to.ReadEnded)
            PassOnReset(from, Errno.ECONNRESET);
        else
            Complete(IoError.ReceiverBroke, 0);
    }

    // One side broke: ends with its error, which makes the relay reset the other, once that has taken what was received before, or takes nothing more.
    private void PassOnReset(EpollHandle other, int error)
    {
        if (from.Port.Resets.IsDue(this, other, hasMore: other == to && _unsent is not null))
            Complete(Errno.ToIoError(error), error);
        else
            Pend();
    }
}
