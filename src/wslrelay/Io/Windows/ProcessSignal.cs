using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Windows.Interop;

namespace Wslrelay.Io.Windows;

/// <summary>Opens a process, whose handle is signalled when it exits. Runs on the thread that sets up.</summary>
[SupportedOSPlatform("windows")]
internal static class ProcessSignal
{
    /// <summary>The caller owns the handle.</summary>
    /// <exception cref="IoException">There is no such process, it has exited, or it belongs to another user.</exception>
    internal static SafeHandle Open(int id)
    {
        SafeWaitHandle process = Kernel32.OpenProcess(Kernel32.SYNCHRONIZE | Kernel32.PROCESS_QUERY_LIMITED_INFORMATION, bInheritHandle: false, (uint)id);
        int error = Marshal.GetLastPInvokeError();
        string? problem = process.IsInvalid ? (error == NativeError.ERROR_ACCESS_DENIED ? "belongs to another user" : "does not exist")
            : Kernel32.WaitForSingleObject(process, 0) == Kernel32.WAIT_OBJECT_0 ? "has exited"
            : IsOfThisUser(process) ? null : "belongs to another user";
        if (problem is null)
            return process;

        process.Dispose();
        throw new IoException(IoError.Failed, error, $"process {id} {problem}");
    }

    private static bool IsOfThisUser(SafeHandle process)
    {
        if (!Kernel32.OpenProcessToken(process, Kernel32.TOKEN_QUERY, out SafeAccessTokenHandle token))
        {
            token.Dispose();
            return false;
        }

        using (token)
        using (WindowsIdentity theirs = new(token.DangerousGetHandle()))
        using (var ours = WindowsIdentity.GetCurrent())
        {
            return theirs.User == ours.User;
        }
    }
}
