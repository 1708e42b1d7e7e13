using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>One send or receive, on a socket or an overlapped pipe. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Transfer(CompletionPort port, IoHandle handle, bool send, IIoOwner owner) : TransferOperation(owner)
{
    // The kernel locks the pages of a call that is pending: a large send goes in pieces.
    private const int MaxPiece = 256 * 1024;

    private OverlappedSlot? _slot;
    private MemoryHandle _pin;

    protected internal override void Schedule()
    {
        Debug.Assert(send || !Buffer.IsEmpty, "a receive of nothing cannot tell the end");
        BytesTransferred = 0;
        if (Buffer.IsEmpty)
        {
            Complete();
            return;
        }

        _slot = port.RentSlot();
        _pin = Buffer.Pin();
        Call();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        BytesTransferred += (int)wake.Bytes;
        if (send && handle is WindowsSocket socket)
            socket.SentBytes += wake.Bytes;

        if (wake.NativeError != 0)
            Failed(wake.NativeError);
        else if (!send || BytesTransferred == Buffer.Length)
            Complete();
        else if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else
            Call();
    }

    protected internal override void CancelPending() => Kernel32.CancelIoEx(handle, _slot!.Overlapped);

    protected internal override void OnCompleted()
    {
        _pin.Dispose();
        _pin = default;
        if (_slot is not null)
        {
            port.ReturnSlot(_slot);
            _slot = null;
        }

        base.OnCompleted();
    }

    private void Call()
    {
        byte* start = (byte*)_pin.Pointer + BytesTransferred;
        uint length = (uint)Math.Min(Buffer.Length - BytesTransferred, MaxPiece);
        Kernel32.OVERLAPPED* overlapped = _slot!.Lend(this);
        int error = handle is WindowsPipe ? CallPipe(start, length, overlapped) : CallSocket(start, length, overlapped);

        // Done now: its packet is queued all the same. Pending: its packet will come. More data in a message than there was
        // room for: done as well, the rest is read next.
        if (error is 0 or ERROR_IO_PENDING or ERROR_MORE_DATA)
        {
            Pend();
            return;
        }

        // Failed: no packet will come, so the slot comes back here.
        _slot.TakeBack();
        Failed(error);
    }

    private int CallSocket(byte* start, uint length, Kernel32.OVERLAPPED* overlapped)
    {
        var buffer = new Ws2_32.WSABUF { len = length, buf = start };
        uint flags = 0;
        int failed = send
            ? Ws2_32.WSASend(handle, &buffer, 1, null, 0, overlapped, null)
            : Ws2_32.WSARecv(handle, &buffer, 1, null, &flags, overlapped, null);
        int error = Marshal.GetLastPInvokeError();
        return failed == 0 ? 0 : error;
    }

    private int CallPipe(byte* start, uint length, Kernel32.OVERLAPPED* overlapped)
    {
        bool done = send
            ? Kernel32.WriteFile(handle, start, length, null, overlapped)
            : Kernel32.ReadFile(handle, start, length, null, overlapped);
        int error = Marshal.GetLastPInvokeError();
        return done ? 0 : error;
    }

    private void Failed(int error)
    {
        // A pipe whose writer is gone fails, after its last byte; success without bytes means the same.
        if (!send && (error == ERROR_MORE_DATA || (handle is WindowsPipe && error is ERROR_BROKEN_PIPE or ERROR_HANDLE_EOF)))
            Complete();
        else
            Complete(ToIoError(error), error);
    }
}
