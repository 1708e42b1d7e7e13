using System.Runtime.InteropServices;
using static Wslrelay.Io.Windows.Interop.Kernel32;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>
/// AcceptEx and ConnectEx of one address family's provider; each provider has its own. The caller keeps the sockets open until the call's packet
/// has come. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Mswsock(void* acceptEx, void* connectEx)
{
    internal static readonly Guid WSAID_ACCEPTEX = new("b5367df1-cbac-11cf-95ca-00805f48a192");
    internal static readonly Guid WSAID_CONNECTEX = new("25a207b9-ddf3-4660-8ee9-76e58c74063e");

    internal static readonly Guid WSAID_WSARECVMSG = new("f689d7c8-6f1f-436b-8a53-e54fe351c322");

    /// <summary>Asks the provider of a socket; returns null, and the error, where it has none.</summary>
    internal static Mswsock? Load(SafeHandle socket, out int error)
    {
        void* connectEx = null;
        error = Load(socket, WSAID_ACCEPTEX, out void* acceptEx);
        if (error == 0)
            error = Load(socket, WSAID_CONNECTEX, out connectEx);

        return error == 0 ? new Mswsock(acceptEx, connectEx) : null;
    }

    /// <summary>Returns 0 where it is done, else the error; ERROR_IO_PENDING is one of them.</summary>
    internal int AcceptEx(SafeHandle listener, SafeHandle candidate, void* buffer, uint addressLength, OVERLAPPED* overlapped)
    {
        // No first data is waited for: a client that sends nothing would hold the slot.
        var function = (delegate* unmanaged[Stdcall]<nint, nint, void*, uint, uint, uint, uint*, OVERLAPPED*, int>)acceptEx;
        uint received;
        Marshal.SetLastSystemError(0);
        int done = function(
            listener.DangerousGetHandle(), candidate.DangerousGetHandle(), buffer, 0, addressLength, addressLength, &received, overlapped);
        int error = Marshal.GetLastSystemError();
        return done != 0 ? 0 : error;
    }

    /// <summary>Returns 0 where it is done, else the error; ERROR_IO_PENDING is one of them.</summary>
    internal int ConnectEx(SafeHandle socket, byte* name, int nameLength, OVERLAPPED* overlapped)
    {
        var function = (delegate* unmanaged[Stdcall]<nint, byte*, int, void*, uint, uint*, OVERLAPPED*, int>)connectEx;
        uint sent;
        Marshal.SetLastSystemError(0);
        int done = function(socket.DangerousGetHandle(), name, nameLength, null, 0, &sent, overlapped);
        int error = Marshal.GetLastSystemError();
        return done != 0 ? 0 : error;
    }

    /// <summary>Asks the provider of a socket for one function; returns the error.</summary>
    internal static int Load(SafeHandle socket, Guid id, out void* function)
    {
        void* found = null;
        uint returned;
        int failed = Ws2_32.WSAIoctl(
            socket, Ws2_32.SIO_GET_EXTENSION_FUNCTION_POINTER, &id, (uint)sizeof(Guid), &found, (uint)sizeof(void*), &returned, null, null);
        function = found;
        return NativeError.ErrorUnless(failed == 0);
    }
}
