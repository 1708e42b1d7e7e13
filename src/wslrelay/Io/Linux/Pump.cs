using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Carries one direction with recv(2) and send(2). Reads only when nothing is left to send: a side that does not read stops the other.
/// Holds a buffer only while it has bytes that the receiving side has not taken.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Pump(EpollPort port, EpollHandle from, EpollHandle to, ByteCounter counter, IIoOwner owner)
    : PumpOperation(owner, counter)
{
    // What one direction may move before the others have their turn.
    private const int MaxPerTurn = 1 << 20;

    private byte[]? _held;
    private int _start;
    private int _end;

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

        base.OnCompleted();
    }

    private void Move()
    {
        for (int moved = 0; moved < MaxPerTurn; )
        {
            if (to.Broken)
            {
                EndBroken();
                return;
            }

            if (_held is not null)
            {
                if (!to.Writable || !Flush(_held, ref moved))
                {
                    Block();
                    return;
                }

                port.Buffers.Return(_held);
                _held = null;
            }

            if (!from.Readable)
            {
                Pend();
                return;
            }

            if (!Fill(ref moved))
            {
                return;
            }
        }

        Yield();
    }

    // Reads once and passes it on. False if the operation has ended or must wait.
    private unsafe bool Fill(ref int moved)
    {
        byte[] buffer = port.Buffers.Rent();
        int error = NativeIo.Receive(from, (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0), buffer.Length, out _end);
        _start = 0;
        if (error == 0 && _end > 0)
        {
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

        return false;
    }

    // Sends what is left. False if the kernel did not take all of it, now or ever.
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
    // the same error and ends; the relay cancels this one. Where there is no other direction any more, this one ends it.
    private void EndBroken()
    {
        if (to.Reader is null)
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
