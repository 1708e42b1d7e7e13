using System.ComponentModel;
using System.IO.Pipes;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Windows.Interop;

namespace RelayProtocol.Windows;

/// <summary>
/// Makes the handles that a child inherits. Each is inheritable until it is closed, right after the start, and is in that child's handle
/// list; another child that this process starts meanwhile, with all handles inherited and no list, would get it too. Any thread.
/// </summary>
[SupportedOSPlatform("windows")]
internal static unsafe class Handles
{
    // Without a buffer of its own a pipe makes every write wait for a read. Linux' pipes have as much.
    private const int PipeBuffer = 64 * 1024;

    /// <summary>
    /// A pipe whose parent's end is overlapped, so that no thread blocks in a read or a write of it (an anonymous pipe cannot be),
    /// and whose child's end is not, as a program expects of its standard handles.
    /// </summary>
    internal static (NamedPipeServerStream Parent, SafePipeHandle Child) Pipe(PipeDirection parentsDirection)
    {
        string name = $"wslrelay.{Guid.NewGuid():N}";
        PipeDirection childsDirection = parentsDirection == PipeDirection.In ? PipeDirection.Out : PipeDirection.In;
        var parent = new NamedPipeServerStream(
            name, parentsDirection, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.FirstPipeInstance,
            PipeBuffer, PipeBuffer);
        try
        {
            var child = new NamedPipeClientStream(".", name, childsDirection, PipeOptions.None, TokenImpersonationLevel.None, HandleInheritability.Inheritable);
            child.Connect();
            parent.WaitForConnection();
            return (parent, child.SafePipeHandle);
        }
        catch
        {
            parent.Dispose();
            throw;
        }
    }

    internal static SafeFileHandle Null()
    {
        using SafeFileHandle handle = File.OpenHandle("NUL", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        return Duplicate(handle);
    }

    /// <summary>This process's standard error; null if it has none, as a program with windows only.</summary>
    internal static SafeFileHandle? StandardError()
    {
        using var handle = new SafeFileHandle(Kernel32.GetStdHandle(Kernel32.STD_ERROR_HANDLE), ownsHandle: false);
        return handle.IsInvalid ? null : TryDuplicate(handle);
    }

    /// <summary>An inheritable copy.</summary>
    internal static SafeFileHandle Duplicate(SafeHandle handle) =>
        TryDuplicate(handle) ?? throw Platform.Failure("cannot duplicate a handle", Marshal.GetLastPInvokeError());

    /// <summary>A job that ends the processes in it when its last handle is closed, however this process ends.</summary>
    internal static SafeFileHandle KillOnCloseJob()
    {
        SafeFileHandle job = Kernel32.CreateJobObjectW(null, null);
        var limits = new Kernel32.JOBOBJECT_EXTENDED_LIMIT_INFORMATION { LimitFlags = Kernel32.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE };
        if (job.IsInvalid || !Kernel32.SetInformationJobObject(
            job, Kernel32.JobObjectExtendedLimitInformation, &limits, (uint)sizeof(Kernel32.JOBOBJECT_EXTENDED_LIMIT_INFORMATION)))
        {
            Win32Exception failure = Platform.Failure("cannot make a job", Marshal.GetLastPInvokeError());
            job.Dispose();
            throw failure;
        }
        return job;
    }

    private static SafeFileHandle? TryDuplicate(SafeHandle handle) =>
        Kernel32.DuplicateHandle(Kernel32.CurrentProcess, handle, Kernel32.CurrentProcess, out nint copy, 0, true, Kernel32.DUPLICATE_SAME_ACCESS)
            ? new SafeFileHandle(copy, ownsHandle: true)
            : null;
}
