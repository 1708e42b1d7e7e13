using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// Small data: through a buffer.
internal sealed partial class Pump
{
    // Reads once. A buffer filled to the brim tells of bulk.
    private unsafe int FillBuffer()
    {
        byte[] buffer = from.Port.Buffers.Rent();
        int error = NativeIo.Receive(from, Memory(buffer), buffer.Length, out int received);
        if (received == 0)
        {
            from.Port.Buffers.Return(buffer);
            return error;
        }

        Hold(buffer, received);
        _isBulk = !_cannotSplice && (received == buffer.Length || from.Port.PumpMode == PumpMode.Splice);
        return 0;
    }

    // Sends what is left in the buffer. False if the kernel did not take all of it, now or ever.
    private unsafe bool FlushBuffer(byte[] buffer, ref int moved)
    {
        while (_start < _end)
        {
            int error = NativeIo.Send(to, Memory(buffer) + _start, _end - _start, out int sent);
            if (error != 0)
            {
                if (error != Errno.EAGAIN)
                {
                    to.Break();
                }

                return false;
            }

            NoteSent(sent, ref moved);
        }

        return true;
    }

    // The pool's buffers are pinned for life.
    private static unsafe byte* Memory(byte[] buffer) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
}
