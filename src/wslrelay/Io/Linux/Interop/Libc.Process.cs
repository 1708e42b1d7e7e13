using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// pidfd_open(2), getppid(2), getuid(2), getrlimit(2), gettid(2), clock_gettime(2), sched_setattr(2); the number of the first from asm-generic/unistd.h, the same on x64 and arm64.
internal abstract unsafe partial class Libc
{
    internal const nint SYS_pidfd_open = 434;
    internal const int RLIMIT_NOFILE = 7;
    internal const uint SCHED_OTHER = 0;

    /// <summary>Of a clock whose other bits name a thread (CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED of linux/posix-timers_types.h).</summary>
    internal const int CPUCLOCK_PERTHREAD_SCHED = 6;

    /// <summary>From asm/unistd_64.h, and of every other system from asm-generic/unistd.h.</summary>
    internal static readonly nint SYS_gettid = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 186 : 178;

    /// <inheritdoc cref="SYS_gettid"/>
    internal static readonly nint SYS_sched_setattr = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 314 : 274;

    /// <inheritdoc cref="SYS_gettid"/>
    internal static readonly nint SYS_sched_getattr = SYS_sched_setattr + 1;

    /// <summary>Has a wrapper in libc only since glibc 2.36: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint pidfd_open(nint number, nint pid, nuint flags);

    /// <summary>Has a wrapper in libc only since glibc 2.30: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint gettid(nint number);

    /// <summary>Has a wrapper in libc only since glibc 2.41: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint sched_setattr(nint number, nint pid, SchedAttr* attr, nuint flags);

    /// <inheritdoc cref="sched_setattr"/>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint sched_getattr(nint number, nint pid, SchedAttr* attr, nuint size, nuint flags);
    [LibraryImport("libc")]
    internal static partial int clock_gettime(int clockid, out TimeSpec tp);
    [LibraryImport("libc")]
    internal static partial int getppid();
    [LibraryImport("libc")]
    internal static partial uint getuid();
    [LibraryImport("libc")]
    internal static partial int getrlimit(int resource, out RLimit rlim);
    [LibraryImport("libc")]
    internal static partial int setrlimit(int resource, in RLimit rlim);

    internal struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }

    /// <summary><c>struct sched_attr</c> of linux/sched/types.h, in its first form.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SchedAttr
    {
        internal const int Length = 48;

        internal uint Size;
        internal uint Policy;
        internal ulong Flags;
        internal int Nice;
        internal uint Priority;

        /// <summary>In nanoseconds; of SCHED_OTHER the time slice.</summary>
        internal ulong Runtime;
        internal ulong Deadline;
        internal ulong Period;
    }

    /// <summary><c>struct rlimit</c> with 64-bit <c>rlim_t</c>.</summary>
    internal struct RLimit
    {
        internal ulong Current;
        internal ulong Maximum;
    }
}
