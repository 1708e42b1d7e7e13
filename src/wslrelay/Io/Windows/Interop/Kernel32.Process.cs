using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wslrelay.Io.Windows.Interop;

/// <content>kernel32.dll and advapi32.dll: another process, and its user.</content>
internal static unsafe partial class Kernel32
{
    internal const uint PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
    internal const uint TOKEN_QUERY = 8;
    internal const uint WAIT_OBJECT_0 = 0;

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial SafeWaitHandle OpenProcess(
        uint dwDesiredAccess, [MarshalAs(UnmanagedType.Bool)] bool bInheritHandle, uint dwProcessId);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial uint WaitForSingleObject(SafeHandle hHandle, uint dwMilliseconds);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool OpenProcessToken(SafeHandle ProcessHandle, uint DesiredAccess, out SafeAccessTokenHandle TokenHandle);
}
