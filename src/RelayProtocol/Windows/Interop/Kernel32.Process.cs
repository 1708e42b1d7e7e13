using Microsoft.Win32.SafeHandles;

namespace RelayProtocol.Windows.Interop;

/// <summary>Processes and the list of what they inherit. Source: processthreadsapi.h, winbase.h.</summary>
internal static partial class Kernel32
{
    internal const uint EXTENDED_STARTUPINFO_PRESENT = 0x00080000;
    internal const uint CREATE_NO_WINDOW = 0x08000000;
    internal const uint STARTF_USESTDHANDLES = 0x00000100;
    internal const nuint PROC_THREAD_ATTRIBUTE_HANDLE_LIST = 0x00020002;
    internal const nuint PROC_THREAD_ATTRIBUTE_JOB_LIST = 0x0002000D;
    internal const int ERROR_FILE_NOT_FOUND = 2;
    internal const int ERROR_PATH_NOT_FOUND = 3;

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static unsafe partial bool CreateProcessW(
        string lpApplicationName, char* lpCommandLine, void* lpProcessAttributes, void* lpThreadAttributes,
        [MarshalAs(UnmanagedType.Bool)] bool bInheritHandles, uint dwCreationFlags, void* lpEnvironment, string? lpCurrentDirectory,
        STARTUPINFOEXW* lpStartupInfo, PROCESS_INFORMATION* lpProcessInformation);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static unsafe partial bool InitializeProcThreadAttributeList(
        void* lpAttributeList, uint dwAttributeCount, uint dwFlags, nuint* lpSize);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static unsafe partial bool UpdateProcThreadAttribute(
        void* lpAttributeList, uint dwFlags, nuint attribute, void* lpValue, nuint cbSize, void* lpPreviousValue, nuint* lpReturnSize);

    [LibraryImport("kernel32")]
    internal static unsafe partial void DeleteProcThreadAttributeList(void* lpAttributeList);
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetExitCodeProcess(SafeProcessHandle hProcess, out uint lpExitCode);
    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool TerminateProcess(SafeProcessHandle hProcess, uint uExitCode);

    [StructLayout(LayoutKind.Sequential)]
    internal struct PROCESS_INFORMATION
    {
        internal nint hProcess;
        internal nint hThread;
        internal uint dwProcessId;
        internal uint dwThreadId;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct STARTUPINFOEXW
    {
        internal uint cb;
        internal nint lpReserved;
        internal nint lpDesktop;
        internal nint lpTitle;
        internal uint dwX;
        internal uint dwY;
        internal uint dwXSize;
        internal uint dwYSize;
        internal uint dwXCountChars;
        internal uint dwYCountChars;
        internal uint dwFillAttribute;
        internal uint dwFlags;
        internal ushort wShowWindow;
        internal ushort cbReserved2;
        internal nint lpReserved2;
        internal nint hStdInput;
        internal nint hStdOutput;
        internal nint hStdError;
        internal nint lpAttributeList;
    }
}
