using System.Runtime.InteropServices;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>The few calls of Linux that the tests need; each fails the test when it fails.</summary>
internal static partial class Libc
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;
    private const int O_CLOEXEC = 0x80000;
    private const int F_SETFD = 2;
    private const int SYS_pidfd_open = 434;

    /// <summary>The highest number of descriptors that a process may raise its limit to.</summary>
    public static long DescriptorLimit => File.ReadLines("/proc/self/limits")
        .Where(line => line.StartsWith("Max open files", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4]))
        .Single();

    public static int EventFd() => Checked(eventfd(0, 0));

    /// <summary>An inheritable read end and a write end that is not inheritable.</summary>
    public static (int Read, int Write) Pipe()
    {
        var ends = new int[2];
        Checked(pipe2(ends, O_CLOEXEC));
        Checked(fcntl(ends[0], F_SETFD, 0));
        return (ends[0], ends[1]);
    }

    public static int PidFd(int process)
    {
        var descriptor = Checked((int)syscall(SYS_pidfd_open, process, 0));
        Checked(fcntl(descriptor, F_SETFD, 0));
        return descriptor;
    }

    public static void Write(int descriptor) => Checked((int)write(descriptor, BitConverter.GetBytes(1L), 8));

    public static void Close(int descriptor) => Checked(close(descriptor));

    public static void Kill(int process, int signal) => Checked(kill(process, signal));

    /// <summary>The time slice of a process's first thread, in nanoseconds; zero where the system does not tell it.</summary>
    public static ulong TimeSlice(int process)
    {
        var getattr = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 315 : 275;
        var attributes = new byte[48];
        Checked((int)syscall(getattr, process, attributes, attributes.Length, 0));
        return BitConverter.ToUInt64(attributes, 24);
    }

    public static void SetPolicy(int process, int policy) => Checked(sched_setscheduler(process, policy, 0));

    public static void RestoreSignal(int number)
    {
        const nint SIG_DFL = 0;
        const nint SIG_ERR = -1;
        Checked(signal(number, SIG_DFL) == SIG_ERR ? -1 : 0);
    }

    private static int Checked(int result) =>
        result >= 0 ? result : throw new System.ComponentModel.Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int eventfd(uint initval, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int pipe2(int[] pipefd, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fcntl(int fd, int cmd, int arg);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, int pid, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint syscall(nint number, int pid, byte[] attr, nint size, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sched_setscheduler(int pid, int policy, in int priority);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint write(int fd, byte[] buf, nint count);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint signal(int signum, nint handler);
}
