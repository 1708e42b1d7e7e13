using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Windows' error numbers and their meanings. A call that fails at once gives a WSA error, a packet an NTSTATUS that translates to a Win32
/// error: each event has two numbers.
/// </summary>
internal static class NativeError
{
    internal const int ERROR_INVALID_HANDLE = 6;
    internal const int ERROR_MORE_DATA = 234;
    internal const int ERROR_HANDLE_EOF = 38;
    internal const int ERROR_IO_PENDING = 997; // and WSA_IO_PENDING
    internal const int ERROR_OPERATION_ABORTED = 995;

    // What each IoError comes from.
    internal const int WSAECONNRESET = 10054, WSAECONNABORTED = 10053, WSAENETRESET = 10052, WSAENOTCONN = 10057, WSAESHUTDOWN = 10058;
    internal const int ERROR_NETNAME_DELETED = 64, ERROR_CONNECTION_ABORTED = 1236, ERROR_GRACEFUL_DISCONNECT = 1226;
    internal const int ERROR_BROKEN_PIPE = 109, ERROR_NO_DATA = 232, ERROR_PIPE_NOT_CONNECTED = 233;
    internal const int WSAECONNREFUSED = 10061, ERROR_CONNECTION_REFUSED = 1225;
    internal const int WSAETIMEDOUT = 10060, ERROR_SEM_TIMEOUT = 121, ERROR_TIMEOUT = 1460;
    internal const int WSAENETUNREACH = 10051, WSAEHOSTUNREACH = 10065, WSAENETDOWN = 10050, WSAEHOSTDOWN = 10064;
    internal const int ERROR_NETWORK_UNREACHABLE = 1231, ERROR_HOST_UNREACHABLE = 1232;
    internal const int ERROR_PROTOCOL_UNREACHABLE = 1233, ERROR_PORT_UNREACHABLE = 1234;
    internal const int WSAEADDRINUSE = 10048;
    internal const int WSAEACCES = 10013, ERROR_ACCESS_DENIED = 5;
    internal const int WSAEWOULDBLOCK = 10035, WSAEMSGSIZE = 10040;
    internal const int WSAEADDRNOTAVAIL = 10049;
    internal const int WSAEAFNOSUPPORT = 10047, WSAEPROTONOSUPPORT = 10043, WSAESOCKTNOSUPPORT = 10044, WSAEOPNOTSUPP = 10045;
    internal const int WSAEMFILE = 10024, WSAENOBUFS = 10055, ERROR_TOO_MANY_OPEN_FILES = 4, ERROR_NOT_ENOUGH_MEMORY = 8;
    internal const int ERROR_NO_SYSTEM_RESOURCES = 1450, ERROR_NOT_ENOUGH_QUOTA = 1816, ERROR_COMMITMENT_LIMIT = 1455;

    /// <summary>The error of the call that was just made; 0 if it was done.</summary>
    internal static int ErrorUnless(bool done) => done ? 0 : Marshal.GetLastPInvokeError();

    internal static IoError ToIoError(int error) => error switch
    {
        0 => IoError.None,
        ERROR_OPERATION_ABORTED => IoError.Cancelled,
        WSAECONNRESET or WSAECONNABORTED or WSAENETRESET or WSAENOTCONN or WSAESHUTDOWN
            or ERROR_NETNAME_DELETED or ERROR_CONNECTION_ABORTED or ERROR_GRACEFUL_DISCONNECT
            or ERROR_BROKEN_PIPE or ERROR_NO_DATA or ERROR_PIPE_NOT_CONNECTED => IoError.Reset,
        WSAECONNREFUSED or ERROR_CONNECTION_REFUSED => IoError.ConnectionRefused,
        WSAETIMEDOUT or ERROR_SEM_TIMEOUT or ERROR_TIMEOUT => IoError.TimedOut,
        WSAENETUNREACH or WSAEHOSTUNREACH or WSAENETDOWN or WSAEHOSTDOWN or ERROR_NETWORK_UNREACHABLE
            or ERROR_HOST_UNREACHABLE or ERROR_PROTOCOL_UNREACHABLE or ERROR_PORT_UNREACHABLE => IoError.HostUnreachable,
        WSAEADDRINUSE => IoError.AddressInUse,
        WSAEACCES or ERROR_ACCESS_DENIED => IoError.AccessDenied,
        WSAEADDRNOTAVAIL => IoError.AddressNotAvailable,
        WSAEAFNOSUPPORT or WSAEPROTONOSUPPORT or WSAESOCKTNOSUPPORT or WSAEOPNOTSUPP => IoError.NotSupported,
        WSAEMFILE or WSAENOBUFS or ERROR_TOO_MANY_OPEN_FILES or ERROR_NOT_ENOUGH_MEMORY or ERROR_NO_SYSTEM_RESOURCES
            or ERROR_NOT_ENOUGH_QUOTA or ERROR_COMMITMENT_LIMIT => IoError.TooManyOpenFiles,
        _ => IoError.Failed,
    };

    /// <summary>The failure of a set-up call, with the system's own message.</summary>
    internal static IoException Exception(int error, string what) =>
        new(ToIoError(error), error, $"{what}: {new Win32Exception(error).Message} ({error})");
}
