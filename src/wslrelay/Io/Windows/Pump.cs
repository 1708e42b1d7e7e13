using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// One direction of a connection, with one transfer in flight at a time. An idle pump waits in a receive into its slot's own few bytes:
/// Windows discards what has come and was not received when a reset follows. Bulk goes through a buffer of the pool. At most one buffer is
/// moved between two packets, so no connection starves the others. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Pump(
    CompletionPort port, WindowsSocket from, WindowsSocket to, ByteCounter counter, IIoOwner owner, ChunkParser? chunks)
    : PumpOperation(owner, counter), IRetryable
{
    private OverlappedSlot? _slot;
    private ResetPoll? _poll;
    private byte[]? _buffer;
    private byte* _memory;
    private int _capacity;
    private Phase _phase;
    private int _received;
    private int _sent;
    private ulong _progress;
    private bool _retryQueued;
    private IoError _result;
    private int _nativeResult;

    private enum Phase
    {
        Receiving,

        Sending,

        /// <summary>The end was passed on. The poll is in flight: nothing else tells of a reset of <c>from</c> any more.</summary>
        EndPassedOn,

        /// <summary><c>from</c> was reset, and the kernel still holds bytes for <c>to</c> that a reset would discard.</summary>
        Draining,

        /// <summary>The result is known; a packet is still to come.</summary>
        Finishing,
    }

    public void Retry()
    {
        _retryQueued = false;
        if (State != IoState.Pending || CancelReason != IoError.None || (_phase != Phase.Draining && (_phase != Phase.Sending || !from.Broken)))
            return;

        ulong progress = GetProgress();
        bool advanced = progress != _progress;
        if (_phase == Phase.Sending && !advanced)
            _ = Kernel32.CancelIoEx(to, _slot!.Overlapped);
        else if (_phase == Phase.Sending || (advanced && progress < to.SentBytes))
            QueueRetry();
        else
            FinishByPacket();
    }

    protected internal override void Schedule()
    {
        from.Reader = this;
        _slot = port.RentSlot();
        ReceiveIntoSlot();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (wake.Source == _poll)
            OnPolled(wake.NativeError);
        else if (_phase == Phase.Finishing)
            Finish(_result, _nativeResult);
        else
            OnTransferred((int)wake.Bytes, wake.NativeError);
    }

    protected internal override void CancelPending()
    {
        switch (_phase)
        {
            case Phase.Receiving:
                _ = Kernel32.CancelIoEx(from, _slot!.Overlapped);
                break;
            case Phase.Sending:
                _ = Kernel32.CancelIoEx(to, _slot!.Overlapped);
                break;
            case Phase.EndPassedOn:
                _ = Kernel32.CancelIoEx(from, _poll!.Overlapped);
                break;
            case Phase.Draining:
                (_result, _nativeResult) = (IoError.Cancelled, 0);
                FinishByPacket();
                break;
        }
    }

    protected internal override void OnCompleted()
    {
        from.Reader = null;
        ReturnBuffer();
        if (_slot is not null)
        {
            port.ReturnSlot(_slot);
            _slot = null;
        }

        _poll?.Free();
        _poll = null;
        base.OnCompleted();
    }

    private void OnTransferred(int bytes, int error)
    {
        if (_phase == Phase.Sending)
        {
            Counter.Add(bytes);
            to.SentBytes += (uint)bytes;
        }

        if (CancelReason != IoError.None)
            Finish(IoError.Cancelled, 0);
        else if (error != 0)
            OnFailed(error);
        else
            Continue(bytes);
    }

    private void Continue(int bytes)
    {
        switch (_phase)
        {
            case Phase.Receiving when bytes == 0:
                OnEnd();
                break;
            case Phase.Receiving:
                OnReceived(bytes);
                break;
            case Phase.Sending when bytes == 0:
                Finish(IoError.Failed, 0);
                break;
            default:
                _sent += bytes;
                if (_sent < _received)
                {
                    Send();
                }
                else if (chunks is { Ended: true })
                {
                    OnMark();
                }
                else if (_received == _capacity)
                {
                    ReceiveIntoBuffer();
                }
                else
                {
                    // Less than there was room for: the socket is drained.
                    ReceiveIntoSlot();
                }

                break;
        }
    }

    private void OnReceived(int bytes)
    {
        _received = chunks?.Parse(new Span<byte>(_memory, bytes)) ?? bytes;
        _sent = 0;
        if (_received > 0)
            Send();
        else if (_received < 0)
            OnReceiveFailed(IoError.Reset, WSAECONNRESET);
        else if (chunks!.Ended)
            OnMark();
        else
            ReceiveIntoSlot();
    }

    // The end of sending is passed on. The peer closes the hop once it has had that of the other direction too.
    private void OnMark()
    {
        if (TryPassOnEnd())
            ReceiveIntoSlot();
    }

    private void ReceiveIntoSlot()
    {
        ReturnBuffer();
        _memory = _slot!.Memory;
        _capacity = OverlappedSlot.MemorySize;
        Receive();
    }

    private void ReceiveIntoBuffer()
    {
        _buffer ??= port.Buffers.Rent();
        _memory = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0);
        _capacity = BufferPool.BufferSize;
        Receive();
    }

    private void Receive()
    {
        _phase = Phase.Receiving;
        var buffer = new WSABUF { len = (uint)_capacity, buf = _memory };
        uint flags = 0;
        int failed = WSARecv(from, &buffer, 1, null, &flags, _slot!.Lend(this), null);
        int error = Marshal.GetLastPInvokeError();
        OnCalled(failed == 0 ? 0 : error);
    }

    private void Send()
    {
        _phase = Phase.Sending;
        var buffer = new WSABUF { len = (uint)(_received - _sent), buf = _memory + _sent };
        int failed = WSASend(to, &buffer, 1, null, 0, _slot!.Lend(this), null);
        int error = Marshal.GetLastPInvokeError();
        OnCalled(failed == 0 ? 0 : error);
        if (failed != 0 && error == ERROR_IO_PENDING)
            WatchWhileBlocked();
    }

    private void OnCalled(int error)
    {
        // Done now: its packet is queued all the same. Pending: its packet will come.
        if (error is 0 or ERROR_IO_PENDING)
        {
            Pend();
            return;
        }

        // Failed: no packet will come, so the slot comes back here.
        _slot!.TakeBack();
        OnFailed(error);
    }

    private void OnFailed(int error)
    {
        IoError meaning = ToIoError(error);
        if (_phase == Phase.Sending)
            OnSendFailed(meaning, error);
        else
            OnReceiveFailed(meaning, error);
    }

    private void OnReceiveFailed(IoError meaning, int error)
    {
        from.Broken = from.ReadEnded = true;
        (_result, _nativeResult) = (meaning, error);
        ReturnBuffer();
        if (!to.Broken && to.SentBytes > (to.GetAcknowledgedBytes() ?? 0))
        {
            _phase = Phase.Draining;
            QueueRetry();
            Pend();
        }
        else
        {
            Finish(meaning, error);
        }
    }

    private void OnSendFailed(IoError meaning, int error)
    {
        if (meaning == IoError.Cancelled)
        {
            // Given up, since the sender is gone and nothing was taken any more.
            Finish(IoError.Reset, WSAECONNRESET);
            return;
        }

        // From now on nobody reads what the sender still sends.
        to.Broken = from.ReadEnded = true;
        ReturnBuffer();
        Finish(meaning == IoError.Reset && !to.ReadEnded ? IoError.ReceiverBroke : meaning, error);
    }

    private void OnEnd()
    {
        if (from.Broken || chunks is { Ended: false } || (chunks is not null && !from.SendEnded))
        {
            OnReceiveFailed(IoError.Reset, WSAECONNRESET);
            return;
        }

        if (chunks is null && !TryPassOnEnd())
            return;

        from.ReadEnded = true;
        ReturnBuffer();
        if (!from.SendEnded && TryPoll())
        {
            _phase = Phase.EndPassedOn;
            Pend();
        }
        else
        {
            Finish(IoError.None, 0);
        }
    }

    // False if the receiver broke, and this direction has ended with it.
    private bool TryPassOnEnd()
    {
        int failed = shutdown(to, SD_SEND);
        int error = Marshal.GetLastPInvokeError();
        if (failed != 0)
        {
            from.ReadEnded = true;
            OnSendFailed(ToIoError(error), error);
            return false;
        }

        to.SendEnded = true;
        to.Reader?.OnOtherEnded();
        return true;
    }

    // The other direction has ended too, so a reset would be no news.
    private void OnOtherEnded()
    {
        if (_phase == Phase.EndPassedOn && CancelReason == IoError.None)
        {
            (_result, _nativeResult) = (IoError.None, 0);
            _phase = Phase.Finishing;
            _ = Kernel32.CancelIoEx(from, _poll!.Overlapped);
        }
    }

    // No receive is in flight while a send is: without the poll a side that does not read would keep a reset from being passed on.
    private void WatchWhileBlocked()
    {
        if (from.Broken)
            QueueRetry();
        else
            _ = TryPoll();
    }

    private bool TryPoll()
    {
        _poll ??= new ResetPoll(port);
        return _poll.TryStart(from, this);
    }

    private void OnPolled(int error)
    {
        if (_phase == Phase.Finishing)
        {
            Finish(_result, _nativeResult);
        }
        else if (CancelReason != IoError.None)
        {
            if (_phase == Phase.EndPassedOn)
                Finish(IoError.Cancelled, 0);
        }
        else if (error == 0 && _poll!.SawReset)
        {
            from.Broken = true;
            OnResetSeen();
        }
        else if (_phase == Phase.EndPassedOn)
        {
            Finish(IoError.None, 0);
        }
    }

    private void OnResetSeen()
    {
        if (_phase == Phase.Sending)
            QueueRetry();
        else if (_phase == Phase.EndPassedOn)
            OnReceiveFailed(IoError.Reset, WSAECONNRESET);
    }

    private void QueueRetry()
    {
        if (!_retryQueued)
        {
            _retryQueued = true;
            _progress = GetProgress();
            port.RetryLater(this);
        }
    }

    // Of a system that does not tell what was acknowledged, what it has taken over counts.
    private ulong GetProgress() => to.GetAcknowledgedBytes() ?? to.SentBytes;

    // Outside of Collect and Schedule an operation cannot complete: a posted packet does it.
    private void FinishByPacket()
    {
        _phase = Phase.Finishing;
        _slot!.Lend(this);
        _slot.PostOnce();
    }

    private void Finish(IoError error, int nativeError)
    {
        if (_slot!.IsLent || _poll is { IsLent: true })
        {
            (_result, _nativeResult) = (error, nativeError);
            _phase = Phase.Finishing;
            if (_poll is { IsLent: true })
                _ = Kernel32.CancelIoEx(from, _poll.Overlapped);

            Pend();
        }
        else
        {
            Complete(error, nativeError);
        }
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
        {
            port.Buffers.Return(_buffer);
            _buffer = null;
        }
    }
}
