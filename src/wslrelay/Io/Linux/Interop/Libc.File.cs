using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// open(2), read(2), fcntl(2), flock(2), stat(2), pipe(7), splice(2).
internal abstract unsafe partial class Libc
{
    internal const int O_RDONLY = 0;
    internal const int O_RDWR = 2;
    internal const int O_ACCMODE = 3;
    internal const int O_NONBLOCK = 0x800;

    internal const int F_SETFD = 2;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int F_SETPIPE_SZ = 1031;

    internal const uint SPLICE_F_MOVE = 1;
    internal const uint SPLICE_F_NONBLOCK = 2;

    internal const nuint TIOCGWINSZ = 0x5413;

    internal const short POLLIN = 1;
    internal const short POLLOUT = 4;

    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const nint SYS_newfstatat_x64 = 262;
    internal const nint SYS_newfstatat_arm64 = 79;

    internal const int LOCK_EX = 2;
    internal const int LOCK_NB = 4;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string pathname, int flags);
    [LibraryImport("libc")]
    internal static partial nint read(SafeHandle fd, byte* buf, nuint count);
    [LibraryImport("libc")]
    internal static partial int poll(PollDescriptor* fds, nuint nfds, int timeout);
    [LibraryImport("libc")]
    internal static partial int fchmod(SafeHandle fd, uint mode);
    /// <summary>By syscall(2): libc has a stable name for it only from glibc 2.33 on.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint newfstatat(nint number, nint dirfd, string pathname, byte* statbuf, nint flags);
    [LibraryImport("libc")]
    internal static partial int flock(SafeHandle fd, int operation);
    [LibraryImport("libc")]
    internal static partial nint splice(SafeHandle fd_in, long* off_in, SafeHandle fd_out, long* off_out, nuint len, uint flags);

    /// <summary><c>struct pollfd</c> of poll(2).</summary>
    internal struct PollDescriptor
    {
        internal int fd;
        internal short events;
        internal short revents;
    }
}
