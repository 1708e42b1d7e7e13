using System.Runtime.InteropServices;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>
/// ntdll.dll: what a handle refers to, the Win32 error of a status, and the socket driver's poll (as in libuv's winapi.h and wepoll's afd.h; the
/// Windows SDK has no header for it).
/// </summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Ntdll
{
    internal const int FileModeInformation = 16;
    internal const uint FILE_SYNCHRONOUS_IO_ALERT = 0x10;
    internal const uint FILE_SYNCHRONOUS_IO_NONALERT = 0x20;
    internal const int ObjectBasicInformation = 0;
    internal const int ObjectTypeInformation = 2;
    internal const uint IOCTL_AFD_POLL = 0x00012024;
    internal const uint AFD_POLL_RECEIVE = 0x0001;
    internal const uint AFD_POLL_ABORT = 0x0010;

    [LibraryImport("ntdll")]
    internal static partial uint RtlNtStatusToDosError(int Status);

    [LibraryImport("ntdll")]
    internal static partial int NtQueryInformationFile(
        SafeHandle FileHandle, out IO_STATUS_BLOCK IoStatusBlock, void* FileInformation, uint Length, int FileInformationClass);

    [LibraryImport("ntdll")]
    internal static partial int NtQueryObject(
        SafeHandle Handle, int ObjectInformationClass, void* ObjectInformation, uint ObjectInformationLength, uint* ReturnLength);

    /// <summary>With an ApcContext and no event the handle's completion port gets a packet, whose OVERLAPPED is the ApcContext.</summary>
    [LibraryImport("ntdll")]
    internal static partial int NtDeviceIoControlFile(
        SafeHandle FileHandle, nint Event, nint ApcRoutine, void* ApcContext, void* IoStatusBlock, uint IoControlCode,
        void* InputBuffer, uint InputBufferLength, void* OutputBuffer, uint OutputBufferLength);

    /// <summary>For one socket: the last three fields are an AFD_POLL_HANDLE_INFO.</summary>
    internal struct AFD_POLL_INFO
    {
        internal long Timeout;
        internal uint NumberOfHandles, Exclusive;
        internal nint Handle;
        internal uint Events;
        internal int Status;
    }

    internal struct IO_STATUS_BLOCK
    {
        internal nuint Status, Information;
    }

    internal struct UNICODE_STRING
    {
        internal ushort Length, MaximumLength;
        internal char* Buffer;
    }

    internal struct PUBLIC_OBJECT_BASIC_INFORMATION
    {
        internal uint Attributes, GrantedAccess, HandleCount, PointerCount;
        internal fixed uint Reserved[10];
    }
}
