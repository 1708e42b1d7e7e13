using System.Runtime.InteropServices;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// One direction of a connection, with one transfer in flight at a time. An idle pump waits in a receive into its slot's own few bytes:
/// Windows discards what has come and was not received when a reset follows. Bulk goes through a buffer of the pool. At most one buffer is
/// moved between two packets, so no connection starves the others. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class Pump(
    CompletionPort port, WindowsSocket from, WindowsSocket to, ByteCounter counter, IIoOwner owner, ChunkParser? chunks)
    : PumpOperation(owner, counter)
{
    private OverlappedSlot? _slot;
    private byte[]? _buffer;
    private bool _wasFilled;
    private int _received;
    private int _sent;
    private Phase _phase;
    private (IoError Error, int NativeError) _result;

    private enum Phase
    {
        Receiving,
        Sending,
        EndPassedOn, // the poll is in flight: nothing else tells of a reset of the sender any more
        Draining, // the sender was reset, and the kernel still holds bytes for the receiver that a reset would discard
        Finishing, // the result is known; a packet is still to come
    }

    private byte* Memory => _buffer is null ? _slot!.Memory : (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0);

    private int Capacity => _buffer is null ? OverlappedSlot.MemorySize : BufferPool.BufferSize;

    protected internal override void Schedule()
    {
        from.Reader = this;
        _slot = port.RentSlot();
        Receive(isBulk: false);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (_phase == Phase.Finishing)
            Finish(_result.Error, _result.NativeError);
        else if (wake.Source == _poll)
            OnPolled(wake.NativeError);
        else
            OnTransferred((int)wake.Bytes, wake.NativeError);
    }

    protected internal override void CancelPending()
    {
        if (_phase == Phase.Receiving)
            _ = Kernel32.CancelIoEx(from, _slot!.Overlapped);
        else if (_phase == Phase.Sending)
            _ = Kernel32.CancelIoEx(to, _slot!.Overlapped);
        else if (_phase == Phase.EndPassedOn)
            _ = Kernel32.CancelIoEx(from, _poll!.Overlapped);
        else if (_phase == Phase.Draining)
            FinishByPacket(IoError.Cancelled, 0);
    }

    protected internal override void OnCompleted()
    {
        from.Reader = null;
        ReturnBuffer();
        port.ReturnSlot(ref _slot);
        _poll?.Free();
        _poll = null;
        base.OnCompleted();
    }

    private void OnTransferred(int bytes, int error)
    {
        bool wasSent = _phase == Phase.Sending;
        if (wasSent)
        {
            Counter.Add(bytes);
            to.SentBytes += (uint)bytes;
        }

        if (CancelReason != IoError.None)
            Finish(IoError.Cancelled, 0);
        else if (error != 0)
            OnFailed(error);
        else if (wasSent)
            OnSent(bytes);
        else if (bytes == 0)
            OnEnd();
        else
            OnReceived(bytes);
    }

    private void OnReceived(int bytes)
    {
        _wasFilled = bytes == Capacity;
        _received = chunks?.Parse(new Span<byte>(Memory, bytes)) ?? bytes;
        _sent = 0;
        if (_received > 0)
            Send();
        else if (_received < 0)
            OnReceiveFailed(WSAECONNRESET);
        else if (chunks!.Ended)
            OnEndMark();
        else
            Receive(isBulk: false);
    }

    private void OnSent(int bytes)
    {
        _sent += bytes;
        if (bytes == 0)
            Finish(IoError.Failed, 0);
        else if (_sent < _received)
            Send();
        else if (chunks is { Ended: true })
            OnEndMark();
        else
            Receive(isBulk: _wasFilled); // less than there was room for: the socket is drained
    }

    private void Receive(bool isBulk)
    {
        if (isBulk)
            _buffer ??= port.Buffers.Rent();
        else
            ReturnBuffer();

        _phase = Phase.Receiving;
        OnCalled(from.Receive(Memory, Capacity, _slot!.Lend(this)));
    }

    private void Send()
    {
        _phase = Phase.Sending;
        int error = to.Send(Memory + _sent, _received - _sent, _slot!.Lend(this));
        OnCalled(error);

        // No receive is in flight while a send is: without the poll a side that does not read would keep a reset from being passed on.
        if (error == ERROR_IO_PENDING && from.Broken)
            QueueRetry();
        else if (error == ERROR_IO_PENDING)
            _ = TryPoll();
    }

    private void OnCalled(int error)
    {
        if (_slot!.AwaitsPacket(error))
            Pend();
        else
            OnFailed(error);
    }

    private void OnFailed(int error)
    {
        if (_phase == Phase.Sending)
            OnSendFailed(error);
        else
            OnReceiveFailed(error);
    }

    public override bool HasPassedOnEnd => _phase == Phase.EndPassedOn;

    private void OnEnd()
    {
        if (from.Broken || (chunks is not null && !(chunks.Ended && from.SendEnded)))
        {
            OnReceiveFailed(WSAECONNRESET);
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

    // Passes the end of sending on. The peer closes the hop once it has received the end of the other direction too.
    private void OnEndMark()
    {
        if (TryPassOnEnd())
            Receive(isBulk: false);
    }

    // False if the receiver broke, and this direction has ended with it.
    private bool TryPassOnEnd()
    {
        int error = to.EndSending();
        if (error != 0)
        {
            from.ReadEnded = true;
            OnSendFailed(error);
            return false;
        }

        to.SendEnded = true;
        to.Reader?.OnOtherEnded();
        return true;
    }

    // Completes now, or when the packets that are still to come have arrived.
    private void Finish(IoError error, int nativeError)
    {
        bool isPolling = _poll is { IsLent: true };
        if (!isPolling && !_slot!.IsLent)
        {
            Complete(error, nativeError);
            return;
        }

        _result = (error, nativeError);
        _phase = Phase.Finishing;
        if (isPolling)
            _ = Kernel32.CancelIoEx(from, _poll!.Overlapped);

        Pend();
    }

    // Outside of Collect and Schedule an operation cannot complete: a packet does it.
    private void FinishByPacket(IoError error, int nativeError)
    {
        _result = (error, nativeError);
        _phase = Phase.Finishing;
        _slot!.Wake(this);
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
