using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Keeps several AcceptEx in flight on one listener. It stays pending from its first call to its last packet, whatever
/// happens to single connections; where the system has no handles left it waits for room, without a call in flight.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Accept(CompletionPort port, WindowsSocket listener, IAcceptOwner owner) : AcceptOperation(owner)
{
    /// <summary>AcceptEx in flight on a listener.</summary>
    internal const int AcceptDepth = 4;

    /// <summary>
    /// Every AcceptEx holds a socket, so ten thousand idle ports would hold forty thousand: past so many, a listener has
    /// one in flight, and the backlog keeps the rest.
    /// </summary>
    internal const int MostExtraAccepts = 1536;

    private const int MostFailuresAtOnce = 16;

    private readonly AcceptSlot?[] _slots = new AcceptSlot?[AcceptDepth];
    private int _inFlight;
    private bool _starved;

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        Pend();
        Arm();
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        var slot = (AcceptSlot)wake.Source!;
        WindowsSocket? candidate = slot.Candidate;
        slot.Candidate = null;
        if (candidate is not null)
        {
            Landed();
        }

        if (CancelReason != IoError.None)
        {
            // A connection that slipped in before the cancel goes the way of those in the backlog.
            candidate?.Close(abort: true);
            if (_inFlight == 0)
            {
                Complete(IoError.Cancelled, 0);
            }

            return;
        }

        if (wake.NativeError != 0)
        {
            // One connection is gone, reset before it was accepted: its socket cannot be used again. The listener goes on.
            candidate?.Close(abort: true);
            candidate = null;
            if (ToIoError(wake.NativeError) != IoError.Reset)
            {
                // Not the connection but the system failed: at once again would be a spin.
                WaitForRoom();
                return;
            }
        }

        // Armed again before the connection is handed out: its owner may take its time.
        Arm();
        if (candidate is not null && Prepare(candidate))
        {
            Acceptor.Accepted(candidate);
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending()
    {
        if (_inFlight == 0)
        {
            // It waits for room: nothing of it is with the kernel, so its wake-up has to be posted.
            AcceptSlot slot = _slots[0] ??= new AcceptSlot(port);
            slot.Lend(this);
            slot.PostOnce();
            return;
        }

        foreach (AcceptSlot? slot in _slots)
        {
            if (slot is { IsLent: true })
            {
                _ = Kernel32.CancelIoEx(listener, slot.Overlapped);
            }
        }
    }

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            _slots[i]?.Free();
            _slots[i] = null;
        }

        base.OnCompleted();
    }

    /// <summary>The port's turn has ended and there may be handles again.</summary>
    internal void RoomMade()
    {
        _starved = false;
        if (State == IoState.Pending && CancelReason == IoError.None && _inFlight == 0)
        {
            Arm();
        }
    }

    private void Arm()
    {
        int failures = 0;
        for (int i = 0; i < _slots.Length; i++)
        {
            // The first is a must, the others are for bursts.
            if (_inFlight > 0 && port.ExtraAccepts >= MostExtraAccepts)
            {
                return;
            }

            AcceptSlot slot = _slots[i] ??= new AcceptSlot(port);

            // Not "while it is not lent": its packet may have been taken from the port, and wait in this batch to be collected.
            while (slot.Candidate is null)
            {
                int error = Call(slot);
                if (error == 0)
                {
                    break;
                }

                // A connection that was reset while it waited: the next one may be well. Anything else is of the system.
                if (ToIoError(error) != IoError.Reset || ++failures == MostFailuresAtOnce)
                {
                    WaitForRoom();
                    return;
                }
            }
        }
    }

    /// <summary>Makes the call; returns 0 when its packet will come.</summary>
    private int Call(AcceptSlot slot)
    {
        WindowsSocket? candidate = WindowsSocket.TryCreate(port, listener.Family, out int error);
        if (candidate is null)
        {
            return error;
        }

        if (port.Extensions(listener, out error) is not { } extensions)
        {
            candidate.Dispose();
            return error;
        }

        slot.Candidate = candidate;
        Kernel32.OVERLAPPED* overlapped = slot.Lend(this);
        error = extensions.AcceptEx(listener, candidate, slot.Addresses, AcceptSlot.AddressLength, overlapped);

        // Done now, a connection was waiting: its packet is queued all the same. Pending: its packet will come.
        if (error is 0 or ERROR_IO_PENDING)
        {
            if (_inFlight++ > 0)
            {
                port.ExtraAccepts++;
            }

            return 0;
        }

        // Failed: no packet will come, so the slot and its socket come back here.
        slot.TakeBack();
        slot.Candidate = null;
        candidate.Dispose();
        return error;
    }

    private void Landed()
    {
        if (--_inFlight > 0)
        {
            port.ExtraAccepts--;
        }
    }

    private void WaitForRoom()
    {
        if (_inFlight == 0 && !_starved)
        {
            _starved = true;
            port.Starved(this);
        }
    }

    /// <summary>Makes a connection of an accepted socket: without its context, shutdown and getpeername would fail.</summary>
    private bool Prepare(WindowsSocket socket)
    {
        nint context = listener.DangerousGetHandle();
        int failed = setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &context, sizeof(nint));
        if (failed != 0 || port.Associate(socket) != 0)
        {
            socket.Close(abort: true);
            return false;
        }

        socket.SetNoDelay();
        return true;
    }
}
