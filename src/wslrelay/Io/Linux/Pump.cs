using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Carries one direction: small data with recv(2) and send(2), bulk with splice(2) through a pipe. Reads only when nothing is left to
/// send: a side that does not read stops the other. Holds a buffer or a pipe only while it has bytes that the receiving side has not taken.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Pump(EpollPort port, EpollHandle from, EpollHandle to, ByteCounter counter, IIoOwner owner)
    : PumpOperation(owner, counter)
{
    // What one direction may move before the others have their turn.
    private const int MaxPerTurn = 1 << 20;

    // A burst smaller than this is not worth the two calls of a splice.
    private const int LeastBurst = 16 * 1024;

    private byte[]? _held;
    private int _start;
    private int _end;
    private SplicePipe? _pipe;
    private int _inPipe;
    private bool _isBulk = port.PumpMode == PumpMode.Splice;
    private bool _cannotSplice = port.PumpMode == PumpMode.Copy;

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        from.Reader = this;
        to.Writer = this;
        Move();
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
        }
        else
        {
            Move();
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => port.WakeOperation(this);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        from.Reader = null;
        to.Writer = null;
        if (_held is not null)
        {
            port.Buffers.Return(_held);
            _held = null;
        }

        ReturnPipe();
        base.OnCompleted();
    }

    private void Move()
    {
        for (int moved = 0; moved < MaxPerTurn;)
        {
            if (to.Broken)
            {
                EndBroken();
                return;
            }

            if ((_held is not null || _inPipe > 0) && !Drain(ref moved))
            {
                return;
            }

            if (!from.Readable)
            {
                ReturnPipe();
                Pend();
                return;
            }

            if (!(_isBulk ? FillPipe() : FillBuffer(ref moved)))
            {
                return;
            }
        }

        Yield();
    }

    // Sends what is left from before. False if the operation has ended or must wait.
    private bool Drain(ref int moved)
    {
        if (!to.Writable || !(_held is not null ? Flush(_held, ref moved) : FlushPipe(ref moved)))
        {
            Block();
            return false;
        }

        if (_held is not null)
        {
            port.Buffers.Return(_held);
            _held = null;
        }

        return true;
    }

    // Reads once and passes it on. False if the operation has ended or must wait.
    private unsafe bool FillBuffer(ref int moved)
    {
        byte[] buffer = port.Buffers.Rent();
        int error = NativeIo.Receive(from, (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0), buffer.Length, out _end);
        _start = 0;
        if (error == 0 && _end > 0)
        {
            _isBulk = _end == buffer.Length && !_cannotSplice;
            if (Flush(buffer, ref moved))
            {
                port.Buffers.Return(buffer);
                return true;
            }

            _held = buffer;
            Block();
            return false;
        }

        port.Buffers.Return(buffer);
        EndRead(error);
        return false;
    }

    // Takes up to a pipe full; Drain passes it on. Never into a pipe that still holds bytes: EAGAIN could then mean either end.
    private unsafe bool FillPipe()
    {
        _pipe ??= port.Pipes.TryRent();
        if (_pipe is null)
        {
            _isBulk = false;
            return true;
        }

        nint taken;
        do
        {
            taken = Libc.splice(from, null, _pipe.WriteEnd, null, (nuint)_pipe.Capacity, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        }
        while (taken < 0 && Errno.Last == Errno.EINTR);

        int error = taken < 0 ? Errno.Last : 0;
        if (taken > 0)
        {
            _inPipe = (int)taken;
            _isBulk = taken >= LeastBurst || port.PumpMode == PumpMode.Splice;
            return true;
        }

        if (error == Errno.EINVAL)
        {
            // Not every family can: this direction copies from now on.
            ReturnPipe();
            _cannotSplice = true;
            _isBulk = false;
            return true;
        }

        from.Readable = false;
        ReturnPipe();
        EndRead(error);
        return false;
    }

    // Nothing was read: there is nothing yet, or it broke, or it was the end.
    private void EndRead(int error)
    {
        if (error == Errno.EAGAIN)
        {
            Pend();
        }
        else if (error != 0 || from.Broken || from.EndIsReset())
        {
            Complete(Errno.ToIoError(error == 0 ? Errno.ECONNRESET : error), error);
        }
        else if (to.ShutdownSend())
        {
            Complete();
        }
        else
        {
            // Not connected any more: the other side broke in the meantime.
            to.Break();
            EndBroken();
        }
    }

    // Sends what is left in the buffer. False if the kernel did not take all of it, now or ever.
    private unsafe bool Flush(byte[] buffer, ref int moved)
    {
        byte* memory = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
        while (_start < _end)
        {
            int error = NativeIo.Send(to, memory + _start, _end - _start, out int sent);
            if (error != 0)
            {
                if (error != Errno.EAGAIN)
                {
                    to.Break();
                }

                return false;
            }

            _start += sent;
            moved += sent;
            Counter.Add(sent);
        }

        return true;
    }

    // The same for the pipe. No SPLICE_F_MORE: it would hold the last bytes back.
    private unsafe bool FlushPipe(ref int moved)
    {
        while (_inPipe > 0)
        {
            nint sent = Libc.splice(_pipe!.ReadEnd, null, to, null, (nuint)_inPipe, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (sent < 0)
            {
                switch (Errno.Last)
                {
                    case Errno.EINTR:
                        continue;
                    case Errno.EAGAIN:
                        to.Writable = false;
                        return false;
                    case Errno.EINVAL:
                        if (!CopyFromPipe())
                        {
                            to.Break();
                            return false;
                        }

                        return Flush(_held!, ref moved);
                    default:
                        to.Break();
                        return false;
                }
            }

            _inPipe -= (int)sent;
            moved += (int)sent;
            Counter.Add((int)sent);
        }

        return true;
    }

    // The receiving side's family cannot splice: what is in the pipe is taken out the other way, once.
    private unsafe bool CopyFromPipe()
    {
        _cannotSplice = true;
        _isBulk = false;
        byte[] buffer = port.Buffers.Rent();
        _held = buffer;
        nint read = Libc.read(_pipe!.ReadEnd, (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0), (nuint)Math.Min(buffer.Length, _inPipe));
        _start = 0;
        _end = (int)Math.Max(read, 0);
        _inPipe -= _end;
        return read > 0;
    }

    private void ReturnPipe()
    {
        if (_pipe is not null)
        {
            port.Pipes.Return(_pipe, isEmpty: _inPipe == 0);
            _pipe = null;
            _inPipe = 0;
        }
    }

    private void Block()
    {
        if (to.Broken)
        {
            EndBroken();
        }
        else
        {
            Pend();
        }
    }

    // The receiving side is gone. What it sent before may still be on its way through the other direction, which then comes upon
    // the same error and ends; the relay cancels this one. Where there is no other direction any more, or nobody left to take what it
    // carries, this one ends it: else each would wait for the other.
    private void EndBroken()
    {
        if (to.Reader is null || from.Broken)
        {
            int error = to.TakeError();
            Complete(IoError.Reset, error == 0 ? Errno.ECONNRESET : error);
        }
        else
        {
            Pend();
        }
    }
}
