using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// Small data: recv and send, through a buffer.
internal partial class Pump
{
    // Reads once, and returns 0 or an errno. A read that fills the buffer is taken for bulk.
    private protected virtual unsafe int FillBuffer()
    {
        // Bulk comes here to ask recv what splice cannot tell, or when there is no pipe: batching it gains nothing.
        if (!_isBulk && from.Port.Calls.IsBatching && QueueReceive())
            return 0;

        byte[] buffer = from.Port.Buffers.Rent();
        int result = from.Receive(Memory(buffer), buffer.Length);
        OnReceived(buffer, Math.Max(result, 0));
        return Math.Max(-result, 0);
    }

    private unsafe bool QueueReceive()
    {
        byte[] buffer = from.Port.BatchBuffers.Rent();
        SetUnsent(buffer, 0);
        _isQueued = from.Port.Calls.TryAdd(SystemCall.Receive(from, Memory(buffer), buffer.Length, this));
        if (!_isQueued)
            Release();

        return _isQueued;
    }

    private void OnReceived(byte[] buffer, int received)
    {
        SetUnsent(buffer, received);
        if (received == 0)
            Release();
        else
            _isBulk = !_cannotSplice && (received == buffer.Length || from.Port.PumpMode == PumpMode.Splice);
    }

    // Takes the result of the batched call. False if the direction has ended or broke.
    private bool OnResult(in IoEvent wake)
    {
        _isQueued = false;
        if (_start < _end)
        {
            int moved = 0;
            NoteSent((int)wake.Bytes, ref moved);
            if (_start == _end)
                Release();

            return true;
        }

        OnReceived((byte[])_unsent!, (int)wake.Bytes);
        if (_unsent is not null || wake.NativeError is Errno.EAGAIN or Errno.EINTR)
            return true;

        EndRead(wake.NativeError);
        return false;
    }

    // Sends what is left in the buffer. False if the kernel did not take all of it.
    private unsafe bool FlushBuffer(byte[] buffer, ref int moved)
    {
        while (_start < _end)
        {
            to.PrepareSend(_end - _start);
            _isQueued = from.Port.Calls.TryAdd(SystemCall.Send(to, Memory(buffer) + _start, _end - _start, this));
            if (_isQueued)
                return false;

            int result = to.Send(Memory(buffer) + _start, _end - _start);
            if (result < 0)
                return false;

            NoteSent(result, ref moved);
        }

        return true;
    }

    // The pool's buffers are pinned for life.
    private protected static unsafe byte* Memory(byte[] buffer) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
}
