using RelayProtocol.Linux.Interop;

namespace RelayProtocol.Linux;

/// <summary>
/// A child of posix_spawn. A thread of its own waits for this process id alone and reaps it, so that there is no zombie even if nobody
/// disposes this object.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class LaunchedProcess : ChildProcess
{
    private const int WaitThreadStack = 128 * 1024;

    private readonly Lock _gate = new();
    private bool _reaped;

    internal LaunchedProcess(int pid)
    {
        Id = pid;
        new Thread(Wait, WaitThreadStack) { IsBackground = true, Name = "relay exit" }.Start();
    }

    internal override int Id { get; }

    internal override void Kill()
    {
        // Under the lock: a process id that was reaped may be another process by now.
        lock (_gate)
        {
            if (!_reaped)
                _ = Libc.kill(Id, Libc.SIGKILL);
        }
    }

    private void Wait()
    {
        // First wait without reaping and without the lock, so that Kill works meanwhile; then reap, which cannot block, under the lock.
        byte* info = stackalloc byte[Libc.SiginfoSize];
        while (Libc.waitid(Libc.P_PID, Id, info, Libc.WEXITED | Libc.WNOWAIT) != 0
            && Marshal.GetLastPInvokeError() == Libc.EINTR)
        {
        }

        int status = 0;
        int reaped;
        lock (_gate)
        {
            do
            {
                reaped = Libc.waitpid(Id, &status, 0);
            }
            while (reaped < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR);
            _reaped = true;
        }

        // Not our child any more (ECHILD): the process ignores SIGCHLD, or something in it waits for every child.
        SetExited(reaped != Id ? null : ExitCode(status));
    }

    /// <summary>WEXITSTATUS, or minus WTERMSIG. Source: wait(2); bits/waitstatus.h.</summary>
    private static int ExitCode(int status) => (status & 0x7f) == 0 ? (status >> 8) & 0xff : -(status & 0x7f);
}
