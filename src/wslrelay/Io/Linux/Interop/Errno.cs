using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

/// <summary>The error numbers of asm-generic/errno.h that are handled here, and their platform-independent equivalents.</summary>
internal static class Errno
{
    internal const int EPERM = 1;
    internal const int ENOENT = 2;
    internal const int EINTR = 4;
    internal const int EIO = 5;
    internal const int EAGAIN = 11;
    internal const int ENOMEM = 12;
    internal const int EACCES = 13;
    internal const int ENODEV = 19;
    internal const int ENOTDIR = 20;
    internal const int EINVAL = 22;
    internal const int ENFILE = 23;
    internal const int EMFILE = 24;
    internal const int EPIPE = 32;
    internal const int ENOSYS = 38;
    internal const int EMSGSIZE = 90;
    internal const int EPROTONOSUPPORT = 93;
    internal const int EOPNOTSUPP = 95;
    internal const int EAFNOSUPPORT = 97;
    internal const int EADDRINUSE = 98;
    internal const int EADDRNOTAVAIL = 99;
    internal const int ENETDOWN = 100;
    internal const int ENETUNREACH = 101;
    internal const int ECONNABORTED = 103;
    internal const int ECONNRESET = 104;
    internal const int ENOBUFS = 105;
    internal const int ETIMEDOUT = 110;
    internal const int ECONNREFUSED = 111;
    internal const int EHOSTDOWN = 112;
    internal const int EHOSTUNREACH = 113;
    internal const int EINPROGRESS = 115;

    /// <summary>The errno of the last call on this thread; valid directly after a call that failed.</summary>
    internal static int Last => Marshal.GetLastSystemError();

    /// <summary>What a call returned, or its errno as a negative number.</summary>
    internal static int Result(nint result) => result >= 0 ? (int)result : -Last;

    /// <summary>How a sandbox (seccomp) or an old kernel answers a system call that it does not allow or does not have.</summary>
    internal static bool IsRefused(int errno) => errno is EPERM or EACCES or ENOSYS;

    internal static IoError ToIoError(int errno) => errno switch
    {
        0 => IoError.None,
        EPIPE or ECONNRESET or ECONNABORTED => IoError.Reset,
        ECONNREFUSED or ENOENT or ENOTDIR => IoError.ConnectionRefused,
        ETIMEDOUT => IoError.TimedOut,
        EHOSTUNREACH or ENETUNREACH or ENETDOWN or EHOSTDOWN or ENODEV => IoError.HostUnreachable,
        EADDRINUSE => IoError.AddressInUse,
        EACCES or EPERM => IoError.AccessDenied,
        EADDRNOTAVAIL => IoError.AddressNotAvailable,
        EMFILE or ENFILE or ENOBUFS or ENOMEM => IoError.TooManyOpenFiles,
        EAFNOSUPPORT or EPROTONOSUPPORT or EOPNOTSUPP => IoError.NotSupported,
        _ => IoError.Failed,
    };

    /// <summary>Returns what a set-up call returned.</summary>
    /// <exception cref="IoException">It failed.</exception>
    internal static int Check(int result, string call) => result >= 0 ? result : throw Exception(Last, call);

    internal static IoException Exception(int errno, string what) =>
        new(ToIoError(errno), errno, $"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");
}
