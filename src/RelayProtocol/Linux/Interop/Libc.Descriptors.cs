namespace RelayProtocol.Linux.Interop;

/// <summary>
/// Descriptors: pipe2(2), fcntl(2), eventfd(2), write(2), close(2). Constants from Linux' uapi headers, equal on x64 and arm64. errno is read by
/// Marshal.GetLastSystemError, directly after a call that failed. Abstract, so that wslrelay adds its own calls to these.
/// </summary>
internal abstract unsafe partial class Libc
{
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_WRONLY = 1;
    internal const int EFD_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;
    internal const int F_GETFD = 1;
    internal const int F_DUPFD_CLOEXEC = 1030;
    internal const int FD_CLOEXEC = 1;

    [LibraryImport("libc")]
    internal static partial int pipe2(int* pipefd, int flags);
    [LibraryImport("libc")]
    internal static partial int fcntl(int fd, int cmd, int arg);
    [LibraryImport("libc")]
    internal static partial int eventfd(uint initval, int flags);
    [LibraryImport("libc")]
    internal static partial nint write(SafeHandle fd, void* buf, nuint count);
    [LibraryImport("libc")]
    internal static partial int close(int fd);
}
