namespace RelayProtocol.Linux.Interop;

/// <summary>Children: waitid(2), waitpid(2), kill(2). Constants from Linux' uapi headers, equal on x64 and arm64.</summary>
internal abstract unsafe partial class Libc
{
    internal const int P_PID = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x01000000;
    internal const int SIGKILL = 9;
    internal const int SIGPIPE = 13;
    internal const int EINTR = 4;
    internal const int ENOENT = 2;

    /// <summary>The size of siginfo_t, which is never looked into here.</summary>
    internal const int SiginfoSize = 128;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int waitid(int idtype, int id, void* infop, int options);
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int waitpid(int pid, int* wstatus, int options);
    [LibraryImport("libc")]
    internal static partial int kill(int pid, int sig);
}
