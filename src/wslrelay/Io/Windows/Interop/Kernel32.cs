using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>kernel32.dll and advapi32.dll: completion ports, overlapped calls, waits, and other processes. RelayProtocol declares the rest.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Kernel32
{
    internal const uint INFINITE = 0xFFFFFFFF;
    internal const uint WAIT_OBJECT_0 = 0;
    internal const int WAIT_TIMEOUT = 258;
    internal const uint WT_EXECUTEINWAITTHREAD = 0x00000004;
    internal const uint WT_EXECUTEONLYONCE = 0x00000008;
    internal const nint NoCompletionEvent = 0; // UnregisterWaitEx returns at once
    internal const nint WaitForCallback = -1; // INVALID_HANDLE_VALUE: UnregisterWaitEx returns when a callback that runs has returned
    internal const uint HANDLE_FLAG_INHERIT = 1;
    internal const uint FILE_TYPE_UNKNOWN = 0;
    internal const uint FILE_TYPE_PIPE = 3;
    internal const uint FILE_READ_DATA = 1;
    internal const uint SYNCHRONIZE = 0x00100000;
    internal const uint PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
    internal const uint THREAD_QUERY_LIMITED_INFORMATION = 0x0800;
    internal const uint TOKEN_QUERY = 8;
    internal const uint ENABLE_VIRTUAL_TERMINAL_PROCESSING = 4;

    /// <summary>Makes a port, which is closed by CloseHandle: SafeWaitHandle does just that.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial SafeWaitHandle CreateIoCompletionPort(
        nint FileHandle, nint ExistingCompletionPort, nuint CompletionKey, uint NumberOfConcurrentThreads);

    /// <summary>Associates a handle; returns the port's own handle again, or 0.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial nint CreateIoCompletionPort(
        SafeHandle FileHandle, SafeHandle ExistingCompletionPort, nuint CompletionKey, uint NumberOfConcurrentThreads);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetQueuedCompletionStatusEx(
        SafeHandle CompletionPort, OVERLAPPED_ENTRY* lpCompletionPortEntries, uint ulCount, out uint ulNumEntriesRemoved,
        uint dwMilliseconds, [MarshalAs(UnmanagedType.Bool)] bool fAlertable);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool PostQueuedCompletionStatus(
        SafeHandle CompletionPort, uint dwNumberOfBytesTransferred, nuint dwCompletionKey, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CancelIoEx(SafeHandle hFile, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32")]
    internal static partial uint GetCurrentThreadId();

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial SafeWaitHandle OpenThread(uint dwDesiredAccess, [MarshalAs(UnmanagedType.Bool)] bool bInheritHandle, uint dwThreadId);

    /// <summary>In units of 100 ns.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetThreadTimes(SafeHandle hThread, out long lpCreationTime, out long lpExitTime, out long lpKernelTime, out long lpUserTime);

    /// <summary>For a handle that its SafeHandle is releasing.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CancelIoEx(nint hFile, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool ReadFile(
        SafeHandle hFile, byte* lpBuffer, uint nNumberOfBytesToRead, uint* lpNumberOfBytesRead, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool WriteFile(
        SafeHandle hFile, byte* lpBuffer, uint nNumberOfBytesToWrite, uint* lpNumberOfBytesWritten, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetOverlappedResult(
        SafeHandle hFile, OVERLAPPED* lpOverlapped, out uint lpNumberOfBytesTransferred, [MarshalAs(UnmanagedType.Bool)] bool bWait);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool RegisterWaitForSingleObject(
        out nint phNewWaitObject, SafeHandle hObject, delegate* unmanaged[Stdcall]<void*, byte, void> Callback, void* Context,
        uint dwMilliseconds, uint dwFlags);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool UnregisterWaitEx(nint WaitHandle, nint CompletionEvent);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial uint WaitForSingleObject(SafeHandle hHandle, uint dwMilliseconds);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetHandleInformation(SafeHandle hObject, out uint lpdwFlags);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial uint GetFileType(SafeHandle hFile);

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial SafeWaitHandle OpenProcess(
        uint dwDesiredAccess, [MarshalAs(UnmanagedType.Bool)] bool bInheritHandle, uint dwProcessId);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool QueryFullProcessImageNameW(SafeHandle hProcess, uint dwFlags, char* lpExeName, ref uint lpdwSize);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetConsoleScreenBufferInfo(SafeHandle hConsoleOutput, out CONSOLE_SCREEN_BUFFER_INFO lpConsoleScreenBufferInfo);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetConsoleMode(SafeHandle hConsoleHandle, out uint lpMode);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool SetConsoleMode(SafeHandle hConsoleHandle, uint dwMode);

    [LibraryImport("advapi32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool OpenProcessToken(SafeHandle ProcessHandle, uint DesiredAccess, out SafeAccessTokenHandle TokenHandle);

    /// <summary>After the buffer's size, the cursor and the attributes, 16 bits each, comes what the window shows.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 22)]
    internal struct CONSOLE_SCREEN_BUFFER_INFO
    {
        [FieldOffset(10)] internal short Left;
        [FieldOffset(12)] internal short Top;
        [FieldOffset(14)] internal short Right;
        [FieldOffset(16)] internal short Bottom;
    }

    internal struct OVERLAPPED
    {
        internal nuint Internal, InternalHigh;
        internal uint Offset, OffsetHigh;
        internal nint hEvent;
    }

    internal struct OVERLAPPED_ENTRY
    {
        internal nuint lpCompletionKey;
        internal OVERLAPPED* lpOverlapped;
        internal nuint Internal;
        internal uint dwNumberOfBytesTransferred;
    }
}
