using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// One direction of a connection: one call in flight at a time. Idle is a receive of zero bytes, which owns no buffer; data
/// is received into a buffer of the pool, all of it sent, and the buffer is given back once the socket has run dry. At most one
/// buffer's worth moves between two packets, and packets come in turn, so no connection can starve the others. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Pump(
    CompletionPort port, WindowsSocket from, WindowsSocket to, ByteCounter counter, IIoOwner owner) : PumpOperation(owner, counter)
{
    private OverlappedSlot? _slot;
    private byte[]? _buffer;
    private Phase _phase;
    private int _received;
    private int _sent;

    /// <summary>What is in flight.</summary>
    private enum Phase
    {
        Idle,
        Receiving,
        Sending,
    }

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        _slot = port.RentSlot();
        ReceiveNothing();
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        if (_phase == Phase.Sending)
        {
            Counter.Add((int)wake.Bytes);
        }

        if (wake.NativeError != 0)
        {
            Complete(ToIoError(wake.NativeError), wake.NativeError);
        }
        else if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
        }
        else
        {
            Continue((int)wake.Bytes);
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => Kernel32.CancelIoEx(_phase == Phase.Sending ? to : from, _slot!.Overlapped);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        ReturnBuffer();
        if (_slot is not null)
        {
            port.ReturnSlot(_slot);
            _slot = null;
        }

        base.OnCompleted();
    }

    private void Continue(int bytes)
    {
        switch (_phase)
        {
            case Phase.Idle:
                // There is data, or the end: the receive that follows tells which.
                Receive();
                break;
            case Phase.Receiving when bytes == 0:
                PassOnTheEnd();
                break;
            case Phase.Receiving:
                _received = bytes;
                _sent = 0;
                Send();
                break;
            case Phase.Sending when bytes == 0:
                Complete(IoError.Failed, 0);
                break;
            default:
                _sent += bytes;
                if (_sent < _received)
                {
                    Send();
                }
                else if (_received == BufferPool.BufferSize)
                {
                    Receive();
                }
                else
                {
                    // Less than there was room for: the socket ran dry. The kernel has let go of the buffer.
                    ReturnBuffer();
                    ReceiveNothing();
                }

                break;
        }
    }

    private void ReceiveNothing()
    {
        _phase = Phase.Idle;
        Receive(null, 0);
    }

    private void Receive()
    {
        _phase = Phase.Receiving;
        _buffer ??= port.Buffers.Rent();
        Receive(Start(_buffer), BufferPool.BufferSize);
    }

    private void Receive(byte* start, int length)
    {
        var buffer = new WSABUF { len = (uint)length, buf = start };
        uint flags = 0;
        int failed = WSARecv(from, &buffer, 1, null, &flags, _slot!.Lend(this), null);
        int error = Marshal.GetLastPInvokeError();
        Outcome(failed == 0 ? 0 : error);
    }

    private void Send()
    {
        _phase = Phase.Sending;
        var buffer = new WSABUF { len = (uint)(_received - _sent), buf = Start(_buffer!) + _sent };
        int failed = WSASend(to, &buffer, 1, null, 0, _slot!.Lend(this), null);
        int error = Marshal.GetLastPInvokeError();
        Outcome(failed == 0 ? 0 : error);
    }

    private void Outcome(int error)
    {
        // Done now: its packet is queued all the same. Pending: its packet will come.
        if (error is 0 or ERROR_IO_PENDING)
        {
            Pend();
            return;
        }

        // Failed: no packet will come, so the slot comes back here.
        _slot!.TakeBack();
        Complete(ToIoError(error), error);
    }

    private void PassOnTheEnd()
    {
        int failed = shutdown(to, SD_SEND);
        int error = failed == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (error == 0)
        {
            Complete();
        }
        else
        {
            Complete(ToIoError(error), error);
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

    /// <summary>The pool's buffers are of the pinned heap: their address is theirs for life.</summary>
    private static byte* Start(byte[] buffer) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
}
