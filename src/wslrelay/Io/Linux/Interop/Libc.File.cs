using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// open(2), read(2), write(2), close(2), fcntl(2), flock(2), stat(2), statx(2), readlink(2), eventfd(2), getrlimit(2).
internal static partial class Libc
{
    internal const int O_RDONLY = 0;
    internal const int O_WRONLY = 1;
    internal const int O_RDWR = 2;
    internal const int O_ACCMODE = 3;
    internal const int O_NONBLOCK = 0x800;
    internal const int O_CLOEXEC = 0x80000;

    internal const int F_GETFD = 1;
    internal const int F_SETFD = 2;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int FD_CLOEXEC = 1;

    internal const short POLLIN = 1;
    internal const short POLLOUT = 4;

    internal const int EFD_NONBLOCK = 0x800;
    internal const int EFD_CLOEXEC = 0x80000;

    internal const int RLIMIT_NOFILE = 7;

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_TYPE = 1;
    internal const uint STATX_INO = 0x100;
    internal const nint SYS_newfstatat_x64 = 262;
    internal const nint SYS_newfstatat_arm64 = 79;

    internal const int LOCK_EX = 2;
    internal const int LOCK_NB = 4;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string pathname, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    internal static unsafe partial nint read(SafeHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", EntryPoint = "write")]
    internal static unsafe partial nint write(SafeHandle fd, byte* buf, nuint count);

    /// <summary>Of a descriptor that may block.</summary>
    [LibraryImport("libc", EntryPoint = "read")]
    internal static unsafe partial nint read_blocking(int fd, byte* buf, nuint count);

    /// <summary>To a descriptor that may block.</summary>
    [LibraryImport("libc", EntryPoint = "write")]
    internal static unsafe partial nint write_blocking(int fd, byte* buf, nuint count);

    [LibraryImport("libc", EntryPoint = "poll")]
    internal static unsafe partial int poll(PollDescriptor* fds, nuint nfds, int timeout);

    [LibraryImport("libc", EntryPoint = "close")]
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

    /// <summary>By syscall(2): libc has a stable name for it only from glibc 2.33 on.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial nint newfstatat(nint number, nint dirfd, string pathname, byte* statbuf, nint flags);

    [LibraryImport("libc", EntryPoint = "flock")]
    internal static partial int flock(SafeHandle fd, int operation);

    /// <summary><c>struct statx</c> of linux/stat.h, the same on every architecture: 256 bytes, of which these are read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(28)]
        internal ushort Mode;

        [FieldOffset(32)]
        internal ulong Inode;

        [FieldOffset(136)]
        internal uint DeviceMajor;

        [FieldOffset(140)]
        internal uint DeviceMinor;
    }

    /// <summary><c>struct rlimit</c> with 64-bit <c>rlim_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RLimit
    {
        internal ulong Current;
        internal ulong Maximum;
    }

    /// <summary><c>struct pollfd</c> of poll(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        internal int fd;
        internal short events;
        internal short revents;
    }
}
