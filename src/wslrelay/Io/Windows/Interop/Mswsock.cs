using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>AcceptEx and ConnectEx of one address family's provider; each provider has its own. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Mswsock
{
    internal static readonly Guid WSAID_ACCEPTEX = new(0xb5367df1, 0xcbac, 0x11cf, 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92);
    internal static readonly Guid WSAID_CONNECTEX = new(0x25a207b9, 0xddf3, 0x4660, 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e);

    private readonly delegate* unmanaged[Stdcall]<nint, nint, void*, uint, uint, uint, uint*, Kernel32.OVERLAPPED*, int> _acceptEx;
    private readonly delegate* unmanaged[Stdcall]<nint, byte*, int, void*, uint, uint*, Kernel32.OVERLAPPED*, int> _connectEx;

    private Mswsock(void* acceptEx, void* connectEx)
    {
        _acceptEx = (delegate* unmanaged[Stdcall]<nint, nint, void*, uint, uint, uint, uint*, Kernel32.OVERLAPPED*, int>)acceptEx;
        _connectEx = (delegate* unmanaged[Stdcall]<nint, byte*, int, void*, uint, uint*, Kernel32.OVERLAPPED*, int>)connectEx;
    }

    /// <summary>Asks the provider of a socket; returns null, and the error, where it has none.</summary>
    internal static Mswsock? Load(SafeHandle socket, out int error)
    {
        error = Load(socket, WSAID_ACCEPTEX, out void* acceptEx);
        if (error == 0)
        {
            error = Load(socket, WSAID_CONNECTEX, out void* connectEx);
            if (error == 0)
                return new Mswsock(acceptEx, connectEx);
        }

        return null;
    }

    /// <summary>Returns 0 where it is done, else the error; ERROR_IO_PENDING is one of them.</summary>
    internal int AcceptEx(SafeHandle listener, SafeHandle candidate, void* buffer, uint addressLength, Kernel32.OVERLAPPED* overlapped)
    {
        bool listenerHeld = false, candidateHeld = false;
        try
        {
            listener.DangerousAddRef(ref listenerHeld);
            candidate.DangerousAddRef(ref candidateHeld);
            uint received;
            Marshal.SetLastSystemError(0);
            int done = _acceptEx(
                listener.DangerousGetHandle(),
                candidate.DangerousGetHandle(),
                buffer,
                0, // no first data is waited for: a client that sends nothing would hold the slot
                addressLength,
                addressLength,
                &received,
                overlapped);
            int error = Marshal.GetLastSystemError();
            return done != 0 ? 0 : error;
        }
        finally
        {
            if (candidateHeld)
                candidate.DangerousRelease();

            if (listenerHeld)
                listener.DangerousRelease();
        }
    }

    /// <summary>Returns 0 where it is done, else the error; ERROR_IO_PENDING is one of them.</summary>
    internal int ConnectEx(SafeHandle socket, byte* name, int nameLength, Kernel32.OVERLAPPED* overlapped)
    {
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            uint sent;
            Marshal.SetLastSystemError(0);
            int done = _connectEx(socket.DangerousGetHandle(), name, nameLength, null, 0, &sent, overlapped);
            int error = Marshal.GetLastSystemError();
            return done != 0 ? 0 : error;
        }
        finally
        {
            if (held)
                socket.DangerousRelease();
        }
    }

    private static int Load(SafeHandle socket, Guid id, out void* function)
    {
        void* found = null;
        uint returned;
        int failed = Ws2_32.WSAIoctl(
            socket,
            Ws2_32.SIO_GET_EXTENSION_FUNCTION_POINTER,
            &id,
            (uint)sizeof(Guid),
            &found,
            (uint)sizeof(void*),
            &returned,
            null,
            null);
        int error = Marshal.GetLastPInvokeError();
        function = found;
        return failed == 0 ? 0 : error;
    }
}
