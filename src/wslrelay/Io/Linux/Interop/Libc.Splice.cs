using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// pipe(2), fcntl(2) F_SETPIPE_SZ, splice(2).
internal static partial class Libc
{
    internal const int F_SETPIPE_SZ = 1031;
    internal const uint SPLICE_F_MOVE = 1;
    internal const uint SPLICE_F_NONBLOCK = 2;

    [LibraryImport("libc", EntryPoint = "pipe2")]
    internal static unsafe partial int pipe2(int* pipefd, int flags);

    [LibraryImport("libc", EntryPoint = "splice")]
    internal static unsafe partial nint splice(SafeHandle fd_in, long* off_in, SafeHandle fd_out, long* off_out, nuint len, uint flags);
}
