using Microsoft.Win32.SafeHandles;
using RelayProtocol.Windows.Interop;

namespace RelayProtocol.Windows;

/// <summary>A child of CreateProcessW and the job that it ends with. A thread-pool wait reports its exit.</summary>
[SupportedOSPlatform("windows")]
internal sealed class LaunchedProcess : ChildProcess
{
    private readonly SafeProcessHandle _process;
    private readonly SafeFileHandle _job;

    internal LaunchedProcess(int id, SafeProcessHandle process, SafeFileHandle job)
    {
        Id = id;
        _process = process;
        _job = job;
        // A process handle is waited for like an event; this object does not own it.
        var ended = new ManualResetEvent(false);
        ended.SafeWaitHandle.Dispose();
        ended.SafeWaitHandle = new SafeWaitHandle(process.DangerousGetHandle(), ownsHandle: false);
        ThreadPool.RegisterWaitForSingleObject(ended, (_, _) => OnExited(), null, Timeout.Infinite, executeOnlyOnce: true);
    }

    internal override int Id { get; }

    // The handle refers to this process for as long as it is open. Failure means that it has exited.
    internal override void Kill() => _ = !_process.IsClosed && Kernel32.TerminateProcess(_process, 1);

    public override void Dispose()
    {
        base.Dispose();
        _job.Dispose();
        // The process handle stays until the wait has completed; closing the job ends the process.
    }

    private void OnExited()
    {
        int? code = Kernel32.GetExitCodeProcess(_process, out uint exitCode) ? unchecked((int)exitCode) : null;
        // The handle is not disposed: a Kill on another thread may be about to use it. Its finalizer closes it.
        SetExited(code);
    }
}
