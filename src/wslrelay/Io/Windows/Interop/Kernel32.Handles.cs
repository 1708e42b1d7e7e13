using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <content>kernel32.dll: what a handle refers to. Closing and duplicating one are in RelayProtocol.</content>
internal static unsafe partial class Kernel32
{
    internal const uint HANDLE_FLAG_INHERIT = 1;
    internal const uint FILE_TYPE_UNKNOWN = 0;
    internal const uint FILE_TYPE_PIPE = 3;
    internal const uint SYNCHRONIZE = 0x00100000;

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetHandleInformation(SafeHandle hObject, out uint lpdwFlags);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial uint GetFileType(SafeHandle hFile);
}
