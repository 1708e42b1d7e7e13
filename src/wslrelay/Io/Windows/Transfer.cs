using System.Buffers;
using System.Diagnostics;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>One send or receive, on a socket or an overlapped pipe. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Transfer(CompletionPort port, IoHandle handle, bool send, IIoOwner owner) : TransferOperation(handle, owner)
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
        if (send && Handle is WindowsSocket socket)
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

    protected internal override void CancelPending() => Kernel32.CancelIoEx(Handle, _slot!.Overlapped);

    protected internal override void OnCompleted()
    {
        _pin.Dispose();
        port.ReturnSlot(ref _slot);
        base.OnCompleted();
    }

    private void Call()
    {
        byte* start = (byte*)_pin.Pointer + BytesTransferred;
        int length = Math.Min(Buffer.Length - BytesTransferred, MaxPiece);
        Kernel32.OVERLAPPED* overlapped = _slot!.Lend(this);
        int error = Handle switch
        {
            WindowsSocket socket => send ? socket.Send(start, length, overlapped) : socket.Receive(start, length, overlapped),
            _ when send => ErrorUnless(Kernel32.WriteFile(Handle, start, (uint)length, null, overlapped)),
            _ => ErrorUnless(Kernel32.ReadFile(Handle, start, (uint)length, null, overlapped)),
        };

        // More data in a message than there was room for: done as well, the rest is read next.
        if (_slot.AwaitsPacket(error == ERROR_MORE_DATA ? 0 : error))
            Pend();
        else
            Failed(error);
    }

    private void Failed(int error)
    {
        // A pipe whose writer is gone fails, after its last byte; success without bytes means the same.
        if (!send && (error == ERROR_MORE_DATA || (Handle is WindowsPipe && error is ERROR_BROKEN_PIPE or ERROR_HANDLE_EOF)))
            Complete();
        else
            Complete(ToIoError(error), error);
    }
}
