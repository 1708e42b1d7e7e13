using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// open(2), read(2), write(2), close(2), fcntl(2), readlink(2), eventfd(2), getrlimit(2).
internal static partial class Libc
{
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_ACCMODE = 3;
    internal const int O_NONBLOCK = 0x800;
    internal const int O_CLOEXEC = 0x80000;

    internal const int F_GETFD = 1;
    internal const int F_GETFL = 3;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int FD_CLOEXEC = 1;

    internal const int EFD_NONBLOCK = 0x800;
    internal const int EFD_CLOEXEC = 0x80000;

    internal const int RLIMIT_NOFILE = 7;

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const uint STATX_TYPE = 1;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string pathname, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    [SuppressGCTransition]
    internal static unsafe partial nint read(SafeHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", EntryPoint = "write")]
    [SuppressGCTransition]
    internal static unsafe partial nint write(SafeHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    [SuppressGCTransition]
    internal static partial int close(nint fd);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    internal static partial int fcntl(nint fd, int cmd, nint arg);

    [LibraryImport("libc", EntryPoint = "readlink", StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial nint readlink(string pathname, byte* buf, nuint bufsiz);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    internal static partial int eventfd(uint initval, int flags);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    internal static partial int getrlimit(int resource, out RLimit rlim);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    internal static partial int setrlimit(int resource, in RLimit rlim);

    [LibraryImport("libc", EntryPoint = "fchmod")]
    internal static partial int fchmod(SafeHandle fd, uint mode);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int dirfd, string pathname, int flags, uint mask, out Statx statxbuf);

    /// <summary><c>struct statx</c> of linux/stat.h, the same on every architecture: 256 bytes, of which only the mode is read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(28)]
        internal ushort Mode;
    }

    /// <summary><c>struct rlimit</c> with 64-bit <c>rlim_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RLimit
    {
        internal ulong Current;
        internal ulong Maximum;
    }
}
