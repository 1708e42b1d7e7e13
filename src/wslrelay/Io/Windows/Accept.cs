using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Keeps several AcceptEx in flight on one listener, whatever happens to single connections. Where the system is out of handles it has none
/// in flight, and tries again later. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Accept(CompletionPort port, WindowsSocket listener, IAcceptOwner owner) : AcceptOperation(owner)
{
    internal const int AcceptDepth = 4;

    // Every AcceptEx holds a socket: beyond so many in the process, a listener has one in flight, and the backlog holds the rest.
    private const int MaxExtraAccepts = 1536;
    private const int MaxFailuresInARow = 16;

    // A connection that waited in the backlog when its listener was unmapped is a connection all the same.
    private const int MaxWhenCancelled = 4096;

    private readonly Slot?[] _slots = new Slot?[AcceptDepth];
    private int _inFlight;
    private bool _starved;

    protected internal override void Schedule()
    {
        Pend();
        Arm();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        var slot = (Slot)wake.Source!;
        WindowsSocket? candidate = slot.Candidate;
        slot.Candidate = null;
        if (candidate is not null && --_inFlight > 0)
            port.ExtraAccepts--;

        if (wake.NativeError != 0)
        {
            // Cancelled, or reset before it was accepted: either way the candidate cannot be used again.
            candidate?.Close(abort: true);
            candidate = null;
        }

        // Armed again before the connection is handed out: its owner may take its time. Where the system has failed, not the connection, an
        // immediate retry would spin.
        bool isCancelled = CancelReason != IoError.None;
        bool isSystemError = ToIoError(wake.NativeError) is not (IoError.None or IoError.Reset);
        if (!isCancelled && isSystemError)
            WaitForRoom();
        else if (!isCancelled)
            Arm();

        // What had been accepted before a cancel is served.
        if (candidate is not null)
            HandOut(candidate);

        if (isCancelled && _inFlight == 0)
        {
            AcceptBacklog();
            Complete(IoError.Cancelled, 0);
        }
    }

    protected internal override void CancelPending()
    {
        if (_inFlight == 0)
        {
            (_slots[0] ??= new Slot(port)).Wake(this);
            return;
        }

        foreach (Slot? slot in _slots)
        {
            if (slot is { IsLent: true })
                _ = Kernel32.CancelIoEx(listener, slot.Overlapped);
        }
    }

    protected internal override void OnCompleted()
    {
        foreach (Slot? slot in _slots)
            slot?.Free();

        Array.Clear(_slots);
        base.OnCompleted();
    }

    /// <summary>There may be handles again.</summary>
    internal void OnRoomMade()
    {
        _starved = false;
        if (State == IoState.Pending && CancelReason == IoError.None && _inFlight == 0)
            Arm();
    }

    private void Arm()
    {
        int failures = 0;
        for (int i = 0; i < _slots.Length; i++)
        {
            // The first is needed, the others are for bursts.
            if (_inFlight > 0 && port.ExtraAccepts >= MaxExtraAccepts)
                return;

            Slot slot = _slots[i] ??= new Slot(port);

            // IsLent would not do: the packet may have been taken from the port, and wait in this batch to be collected.
            while (slot.Candidate is null)
            {
                int error = Call(slot);
                if (error == 0)
                    break;

                // A reset concerns one connection that waited, and the next may be well. Any other error is the system's.
                if (ToIoError(error) != IoError.Reset || ++failures == MaxFailuresInARow)
                {
                    WaitForRoom();
                    return;
                }
            }
        }
    }

    /// <summary>Returns 0 if a packet will come.</summary>
    private int Call(Slot slot)
    {
        if (port.Extensions(listener, out int error) is not { } extensions
            || WindowsSocket.TryCreate(port, listener.Family, out error) is not { } candidate)
        {
            return error;
        }

        slot.Candidate = candidate;
        error = extensions.AcceptEx(listener, candidate, slot.Memory, Slot.AddressLength, slot.Lend(this));
        if (slot.AwaitsPacket(error))
        {
            if (_inFlight++ > 0)
                port.ExtraAccepts++;

            return 0;
        }

        slot.Candidate = null;
        candidate.Dispose();
        return error;
    }

    private void WaitForRoom()
    {
        if (_inFlight == 0 && !_starved)
        {
            _starved = true;
            port.WaitForRoom(this);
        }
    }

    private void AcceptBacklog()
    {
        uint isNonBlocking = 1;
        _ = ioctlsocket(listener, FIONBIO, ref isNonBlocking);
        for (int i = 0; i < MaxWhenCancelled && listener.TryAccept() is { } socket; i++)
            HandOut(socket);
    }

    private void HandOut(WindowsSocket socket)
    {
        // Without its context, shutdown and getpeername would fail. It may fail where the client was faster to reset, and what that had
        // sent is still to be read.
        nint context = listener.DangerousGetHandle();
        _ = setsockopt(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &context, sizeof(nint));
        if (Acceptor.LoopOfNext is { } other)
        {
            socket.Port = (CompletionPort)other.Port;
            Acceptor.AcceptedFor(other, socket);
        }
        else if (port.Adopt(socket))
        {
            Acceptor.Accepted(socket);
        }
    }

    // With AcceptEx' address buffer in its native block: it lives as long as the call.
    private sealed class Slot(CompletionPort port) : OverlappedSlot(port, 2 * AddressLength)
    {
        // AcceptEx asks for 16 bytes more than the longest address of the transport.
        internal const int AddressLength = SocketAddress.MaxLength + 16;

        /// <summary>The socket that becomes the connection; null while the slot is idle.</summary>
        internal WindowsSocket? Candidate { get; set; }
    }
}
