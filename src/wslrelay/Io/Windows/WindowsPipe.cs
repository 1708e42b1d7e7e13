using System.Runtime.InteropServices;
using Wslrelay.Io.Windows.Interop;
using static RelayProtocol.Windows.Interop.Kernel32;

namespace Wslrelay.Io.Windows;

/// <summary>A duplicate of the handle of an overlapped named pipe. Owned by the loop thread.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsPipe : IoHandle
{
    private WindowsPipe(nint pipe) => SetHandle(pipe);

    /// <summary>
    /// Associates a pipe with the port. Null for anything else: a file, a console, a socket, a pipe that is synchronous (as every anonymous
    /// one) or belongs to another port already.
    /// </summary>
    internal static WindowsPipe? TryOpen(CompletionPort port, SafeHandle pipe)
    {
        if (Kernel32.GetFileType(pipe) != Kernel32.FILE_TYPE_PIPE || !IsOverlapped(pipe)
            || !DuplicateHandle(CurrentProcess, pipe, CurrentProcess, out nint own, 0, bInheritHandle: false, DUPLICATE_SAME_ACCESS))
        {
            return null;
        }

        var opened = new WindowsPipe(own);
        if (port.Associate(opened) == 0)
            return opened;

        opened.Dispose();
        return null;
    }

    public override void Close(bool abort) => Dispose();

    protected override bool ReleaseHandle()
    {
        // The handle is a duplicate, so closing it would not cancel anything by itself.
        _ = Kernel32.CancelIoEx(handle, null);
        return CloseHandle(handle);
    }

    internal static bool IsOverlapped(SafeHandle pipe)
    {
        uint mode = 0;
        int status = Ntdll.NtQueryInformationFile(pipe, out _, &mode, sizeof(uint), Ntdll.FileModeInformation);
        return status >= 0 && (mode & (Ntdll.FILE_SYNCHRONOUS_IO_ALERT | Ntdll.FILE_SYNCHRONOUS_IO_NONALERT)) == 0;
    }
}
