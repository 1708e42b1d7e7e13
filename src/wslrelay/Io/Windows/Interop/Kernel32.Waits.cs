using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <content>kernel32.dll: waits of the system's thread pool.</content>
internal static unsafe partial class Kernel32
{
    internal const uint WT_EXECUTEINWAITTHREAD = 0x00000004;
    internal const uint WT_EXECUTEONLYONCE = 0x00000008;

    /// <summary>UnregisterWaitEx: return at once.</summary>
    internal const nint NoCompletionEvent = 0;

    /// <summary>UnregisterWaitEx: INVALID_HANDLE_VALUE, return when a callback that runs has returned.</summary>
    internal const nint WaitForCallback = -1;

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool RegisterWaitForSingleObject(
        out nint phNewWaitObject,
        SafeHandle hObject,
        delegate* unmanaged[Stdcall]<void*, byte, void> Callback,
        void* Context,
        uint dwMilliseconds,
        uint dwFlags);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool UnregisterWaitEx(nint WaitHandle, nint CompletionEvent);
}
