using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ntdll;

namespace Wslrelay.Io.Windows;

/// <summary>
/// A pending call that ends when something has happened to a socket on which no receive or send is in flight: AFD_POLL_ABORT, the peer has reset the connection, or
/// AFD_POLL_RECEIVE, datagrams have come. Winsock itself has no such call: this is the poll of its driver, on which its own select and WSAPoll are built. Loop
/// thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class SocketPoll(CompletionPort port, uint events) : OverlappedSlot(port, sizeof(AFD_POLL_INFO))
{
    internal bool SawEvent => Info->NumberOfHandles == 1 && (Info->Events & events) != 0;

    private AFD_POLL_INFO* Info => (AFD_POLL_INFO*)Memory;

    /// <summary>Starts it, unless it is in flight already. False where the system does not poll such a socket: no packet will come.</summary>
    internal bool TryStart(WindowsSocket socket, IoOperation operation)
    {
        if (IsLent)
            return true;

        nint handle = socket.DangerousGetHandle();
        *Info = new AFD_POLL_INFO { Timeout = long.MaxValue, NumberOfHandles = 1, Handle = handle, Events = events };
        uint size = (uint)sizeof(AFD_POLL_INFO);
        Kernel32.OVERLAPPED* overlapped = Lend(operation);
        int status = NtDeviceIoControlFile(socket, 0, 0, overlapped, overlapped, IOCTL_AFD_POLL, Info, size, Info, size);
        return AwaitsPacket(status >= 0 ? 0 : (int)RtlNtStatusToDosError(status));
    }
}
