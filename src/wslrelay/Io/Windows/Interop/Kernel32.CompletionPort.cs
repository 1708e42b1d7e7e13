using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>kernel32.dll: completion ports and the structure that every overlapped call carries.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Kernel32
{
    internal const uint INFINITE = 0xFFFFFFFF;
    internal const int WAIT_TIMEOUT = 258;

    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial SafeCompletionPort CreateIoCompletionPort(
        nint FileHandle, nint ExistingCompletionPort, nuint CompletionKey, uint NumberOfConcurrentThreads);

    /// <summary>Associates a handle; returns the port's own handle again, or 0.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    internal static partial nint CreateIoCompletionPort(
        SafeHandle FileHandle, SafeCompletionPort ExistingCompletionPort, nuint CompletionKey, uint NumberOfConcurrentThreads);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetQueuedCompletionStatusEx(
        SafeCompletionPort CompletionPort,
        OVERLAPPED_ENTRY* lpCompletionPortEntries,
        uint ulCount,
        out uint ulNumEntriesRemoved,
        uint dwMilliseconds,
        [MarshalAs(UnmanagedType.Bool)] bool fAlertable);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool PostQueuedCompletionStatus(
        SafeCompletionPort CompletionPort, uint dwNumberOfBytesTransferred, nuint dwCompletionKey, OVERLAPPED* lpOverlapped);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CancelIoEx(SafeHandle hFile, OVERLAPPED* lpOverlapped);

    /// <summary>For a handle that its SafeHandle is releasing.</summary>
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CancelIoEx(nint hFile, OVERLAPPED* lpOverlapped);

    [StructLayout(LayoutKind.Sequential)]
    internal struct OVERLAPPED
    {
        internal nuint Internal;
        internal nuint InternalHigh;
        internal uint Offset;
        internal uint OffsetHigh;
        internal nint hEvent;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct OVERLAPPED_ENTRY
    {
        internal nuint lpCompletionKey;
        internal OVERLAPPED* lpOverlapped;
        internal nuint Internal;
        internal uint dwNumberOfBytesTransferred;
    }
}
