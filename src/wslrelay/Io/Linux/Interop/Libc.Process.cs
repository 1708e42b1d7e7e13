using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// pidfd_open(2), kill(2), getppid(2); the number from asm-generic/unistd.h, the same on x64 and arm64.
internal static partial class Libc
{
    internal const nint SYS_pidfd_open = 434;

    /// <summary>Has a wrapper in libc only since glibc 2.36: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint pidfd_open(nint number, nint pid, nuint flags);

    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial int kill(int pid, int sig);

    [LibraryImport("libc", EntryPoint = "getppid")]
    internal static partial int getppid();

    [LibraryImport("libc", EntryPoint = "getuid")]
    internal static partial uint getuid();
}
