using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Windows.Interop;

namespace RelayProtocol.Windows;

/// <summary>
/// Starts children by CreateProcessW with a list of the handles that are inherited, the three standard ones and the exit event, and
/// in a job that ends them when this process does. Any thread.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class ProcessLauncher : Platform
{
    /// <summary>A manual-reset event without a name.</summary>
    internal override SafeHandle CreateExitEvent()
    {
        nint made = Kernel32.CreateEventW(null, bManualReset: true, bInitialState: false, null);
        return made != 0
            ? new SafeWaitHandle(made, ownsHandle: true)
            : throw Failure("cannot make an exit event", Marshal.GetLastPInvokeError());
    }

    internal override void Signal(SafeHandle exitEvent) => _ = Kernel32.SetEvent(exitEvent);

    protected override (Stream Parent, SafeHandle Child) Pipe(PipeDirection parentsDirection) => Handles.Pipe(parentsDirection);

    protected override SafeHandle Duplicate(SafeHandle exitEvent) => Handles.Duplicate(exitEvent);

    protected override ChildProcess Launch(ChildStart start, SafeHandle input, SafeHandle output, SafeHandle? error, SafeHandle exitEvent)
    {
        using SafeFileHandle? inherited = start.StandardError == RelayStandardError.Inherit ? Handles.StandardError() : null;
        using SafeFileHandle? nowhere = error is null && inherited is null ? Handles.Null() : null;

        // A child that writes to this process's console shares that console; any other needs none, and shows no window.
        uint flags = Kernel32.EXTENDED_STARTUPINFO_PRESENT | (inherited is null ? Kernel32.CREATE_NO_WINDOW : 0);
        SafeFileHandle job = Handles.KillOnCloseJob();
        try
        {
            Kernel32.PROCESS_INFORMATION made = Create(start, flags, input, output, error ?? inherited ?? nowhere!, exitEvent, job);
            _ = Kernel32.CloseHandle(made.hThread);
            return new LaunchedProcess((int)made.dwProcessId, new SafeProcessHandle(made.hProcess, ownsHandle: true), job);
        }
        catch
        {
            job.Dispose();
            throw;
        }
    }

    private static Kernel32.PROCESS_INFORMATION Create(
        ChildStart start, uint flags, SafeHandle input, SafeHandle output, SafeHandle error, SafeHandle exitEvent, SafeHandle job)
    {
        // The caller holds all these handles until this returns. A handle keeps its number in the child that inherits it.
        nint exitEventNumber = exitEvent.DangerousGetHandle();
        nint* inherited = stackalloc nint[] { input.DangerousGetHandle(), output.DangerousGetHandle(), error.DangerousGetHandle(), exitEventNumber };
        nint jobHandle = job.DangerousGetHandle();
        nuint size = 0;
        _ = Kernel32.InitializeProcThreadAttributeList(null, 2, 0, &size);
        nint* attributes = stackalloc nint[((int)size / sizeof(nint)) + 1];
        Check(Kernel32.InitializeProcThreadAttributeList(attributes, 2, 0, &size));
        try
        {
            Check(Kernel32.UpdateProcThreadAttribute(
                attributes, 0, Kernel32.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited, 4 * (nuint)sizeof(nint), null, null));
            Check(Kernel32.UpdateProcThreadAttribute(
                attributes, 0, Kernel32.PROC_THREAD_ATTRIBUTE_JOB_LIST, &jobHandle, (nuint)sizeof(nint), null, null));
            var startup = new Kernel32.STARTUPINFOEXW
            {
                cb = (uint)sizeof(Kernel32.STARTUPINFOEXW),
                dwFlags = Kernel32.STARTF_USESTDHANDLES,
                hStdInput = inherited[0],
                hStdOutput = inherited[1],
                hStdError = inherited[2],
                lpAttributeList = (nint)attributes,
            };
            // CreateProcessW may write to the command line, so it gets a copy of its own, with the terminating NUL.
            char[] line = [.. CommandLine.Join(start.Program, start.Arguments(exitEventNumber)), '\0'];
            Kernel32.PROCESS_INFORMATION made;
            fixed (char* commandLine = line)
            {
                // No environment of its own: the child gets this process's.
                if (Kernel32.CreateProcessW(start.Program, commandLine, null, null, true, flags, null, null, &startup, &made))
                    return made;
            }
            int code = Marshal.GetLastPInvokeError();
            throw code is Kernel32.ERROR_FILE_NOT_FOUND or Kernel32.ERROR_PATH_NOT_FOUND
                ? new FileNotFoundException($"cannot start '{start.Program}': there is no such program", start.Program)
                : Failure($"cannot start '{start.Program}'", code);
        }
        finally
        {
            Kernel32.DeleteProcThreadAttributeList(attributes);
        }
    }

    private static void Check(bool done)
    {
        if (!done)
            throw Failure("cannot prepare a child process", Marshal.GetLastPInvokeError());
    }
}
