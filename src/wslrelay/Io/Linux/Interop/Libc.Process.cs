using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// pidfd_open(2), getppid(2), getuid(2), getrlimit(2); the number from asm-generic/unistd.h, the same on x64 and arm64.
internal abstract unsafe partial class Libc
{
    internal const nint SYS_pidfd_open = 434;
    internal const int RLIMIT_NOFILE = 7;

    /// <summary>Has a wrapper in libc only since glibc 2.36: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint pidfd_open(nint number, nint pid, nuint flags);
    [LibraryImport("libc")]
    internal static partial int getppid();
    [LibraryImport("libc")]
    internal static partial uint getuid();
    [LibraryImport("libc")]
    internal static partial int getrlimit(int resource, out RLimit rlim);
    [LibraryImport("libc")]
    internal static partial int setrlimit(int resource, in RLimit rlim);

    /// <summary><c>struct rlimit</c> with 64-bit <c>rlim_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RLimit
    {
        internal ulong Current;
        internal ulong Maximum;
    }
}
