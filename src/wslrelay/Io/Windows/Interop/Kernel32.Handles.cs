using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <content>kernel32.dll: handles and what they refer to.</content>
internal static unsafe partial class Kernel32
{
    internal const uint HANDLE_FLAG_INHERIT = 1;
    internal const uint FILE_TYPE_PIPE = 3;
    internal const uint DUPLICATE_SAME_ACCESS = 2;
    internal const int STD_INPUT_HANDLE = -10;
    internal const uint SYNCHRONIZE = 0x00100000;

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CloseHandle(nint hObject);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetHandleInformation(SafeHandle hObject, out uint lpdwFlags);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial uint GetFileType(SafeHandle hFile);

    [LibraryImport("kernel32")]
    internal static partial nint GetStdHandle(int nStdHandle);

    [LibraryImport("kernel32")]
    internal static partial nint GetCurrentProcess();

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool DuplicateHandle(
        nint hSourceProcessHandle,
        SafeHandle hSourceHandle,
        nint hTargetProcessHandle,
        out nint lpTargetHandle,
        uint dwDesiredAccess,
        [MarshalAs(UnmanagedType.Bool)] bool bInheritHandle,
        uint dwOptions);
}
