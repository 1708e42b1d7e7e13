using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Wslrelay.Io.Windows.Interop;

/// <summary>ntdll.dll: what a handle is, and the Win32 error of a status.</summary>
[SupportedOSPlatform("windows")]

internal static unsafe partial class Ntdll
{
    internal const int FileModeInformation = 16;
    internal const uint FILE_SYNCHRONOUS_IO_ALERT = 0x10;
    internal const uint FILE_SYNCHRONOUS_IO_NONALERT = 0x20;
    internal const int ObjectBasicInformation = 0;
    internal const int ObjectTypeInformation = 2;

    [LibraryImport("ntdll")]
    internal static partial uint RtlNtStatusToDosError(int Status);

    [LibraryImport("ntdll")]
    internal static partial int NtQueryInformationFile(
        SafeHandle FileHandle, out IO_STATUS_BLOCK IoStatusBlock, void* FileInformation, uint Length, int FileInformationClass);

    [LibraryImport("ntdll")]
    internal static partial int NtQueryObject(
        SafeHandle Handle, int ObjectInformationClass, void* ObjectInformation, uint ObjectInformationLength, uint* ReturnLength);

    [StructLayout(LayoutKind.Sequential)]
    internal struct IO_STATUS_BLOCK
    {
        internal nuint Status;
        internal nuint Information;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct UNICODE_STRING
    {
        internal ushort Length;
        internal ushort MaximumLength;
        internal char* Buffer;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PUBLIC_OBJECT_BASIC_INFORMATION
    {
        internal uint Attributes;
        internal uint GrantedAccess;
        internal uint HandleCount;
        internal uint PointerCount;
        internal fixed uint Reserved[10];
    }
}
