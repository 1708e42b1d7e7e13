using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// Bulk: splice, through a pipe. A family or a sandbox that does not have it tells so by the first call; that direction copies from then on.
internal partial class Pump
{
    // A burst smaller than this is not worth the two calls of a splice.
    private const int MinSpliceBurst = 16 * 1024;

    // Reads up to a pipe full. Never into a pipe that still holds bytes: EAGAIN could then mean an empty socket or a full pipe.
    private unsafe int FillPipe(bool isFirst)
    {
        SplicePipe? pipe = from.Port.Pipes.TryRent();
        if (pipe is null)
            return FillBuffer();

        int taken;
        nuint most = (nuint)Math.Min(pipe.Capacity, from.Port.PieceSize);
        do
        {
            taken = Errno.Result(Libc.splice(from, null, pipe.WriteEnd, null, most, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK));
        }
        while (taken == -Errno.EINTR);

        if (taken > 0)
        {
            SetUnsent(pipe, taken);
            _isBulk = taken >= MinSpliceBurst || from.Port.PumpMode == PumpMode.Splice;
            return 0;
        }

        from.Port.Pipes.Return(pipe, isEmpty: true);
        switch (-taken)
        {
            case Errno.EINVAL or Errno.ENOSYS or Errno.EPERM or Errno.EACCES:
                DisableSplice();
                return FillBuffer();
            case Errno.EAGAIN when !isFirst && !from.HasUrgent && !from.Ended:
                // Drained, as far as this turn's event said. The next wait reports urgent data or an end, which splice does not report.
                from.Readable = false;
                return Errno.EAGAIN;
            case 0 or Errno.EAGAIN:
                // Only recv can confirm that the socket is drained or has ended: splice returns the same before urgent data, and never passes it.
                return FillBuffer();
            default:
                // The kernel reports an error once. Behind an urgent byte there may be more, which only recv gets.
                from.MarkBroken();
                int error = FillBuffer();
                return _unsent is null ? -taken : error;
        }
    }

    // Sends what is left in the pipe. False if the kernel did not take all of it. No SPLICE_F_MORE: it would hold the last bytes back.
    private unsafe bool FlushPipe(SplicePipe pipe, ref int moved)
    {
        while (_start < _end)
        {
            to.PrepareSend(_end - _start);
            int sent = Errno.Result(Libc.splice(pipe.ReadEnd, null, to, null, (nuint)(_end - _start), Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK));
            if (sent >= 0)
            {
                NoteSent(sent, ref moved);
                continue;
            }

            switch (-sent)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EAGAIN:
                    to.WidenSendBuffer();
                    to.MarkNotWritable();
                    return false;
                case Errno.EINVAL or Errno.ENOSYS or Errno.EPERM or Errno.EACCES:
                    return CopyPipeToBuffer(pipe) && FlushBuffer((byte[])_unsent!, ref moved);
                default:
                    to.MarkBroken();
                    return false;
            }
        }

        return true;
    }

    // The receiver cannot splice: what is in the pipe is copied once.
    private unsafe bool CopyPipeToBuffer(SplicePipe pipe)
    {
        DisableSplice();
        int size = _end - _start;
        byte[] buffer = from.Port.Buffers.Rent(size);
        for (int taken = 0; taken < size;)
        {
            nint read = Libc.read(pipe.ReadEnd, Memory(buffer) + taken, (nuint)(size - taken));
            if (read <= 0)
            {
                from.Port.Buffers.Return(buffer);
                to.MarkBroken();
                return false;
            }

            taken += (int)read;
        }

        from.Port.Pipes.Return(pipe, isEmpty: true);
        SetUnsent(buffer, size);
        return true;
    }

    private protected void DisableSplice()
    {
        _cannotSplice = true;
        _isBulk = false;
    }
}
