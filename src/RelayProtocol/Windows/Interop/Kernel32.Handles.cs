namespace RelayProtocol.Windows.Interop;

/// <summary>
/// kernel32.dll: handles and events. The program uses these declarations too. Source: handleapi.h, synchapi.h, processenv.h, winnt.h.
/// </summary>
internal static partial class Kernel32
{
    internal const uint DUPLICATE_SAME_ACCESS = 2;
    internal const int STD_INPUT_HANDLE = -10;
    internal const int STD_ERROR_HANDLE = -12;

    /// <summary>What GetCurrentProcess returns, a pseudo handle.</summary>
    internal const nint CurrentProcess = -1;

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool DuplicateHandle(
        nint hSourceProcessHandle, SafeHandle hSourceHandle, nint hTargetProcessHandle, out nint lpTargetHandle,
        uint dwDesiredAccess, [MarshalAs(UnmanagedType.Bool)] bool bInheritHandle, uint dwOptions);

    [LibraryImport("kernel32")]
    internal static partial nint GetStdHandle(int nStdHandle);
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool CloseHandle(nint hObject);

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    internal static unsafe partial nint CreateEventW(
        void* lpEventAttributes, [MarshalAs(UnmanagedType.Bool)] bool bManualReset, [MarshalAs(UnmanagedType.Bool)] bool bInitialState,
        string? lpName);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool SetEvent(SafeHandle hEvent);
}
