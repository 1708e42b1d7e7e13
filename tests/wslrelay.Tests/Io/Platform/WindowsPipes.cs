using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Wslrelay.Tests.Io.Platform;

/// <summary>Both ends of a named pipe, as the system creates them: .NET's own streams are bound to its own completion port.</summary>
[SupportedOSPlatform("windows")]
internal static partial class WindowsPipes
{
    private const uint PIPE_ACCESS_OUTBOUND = 2;
    private const uint FILE_FLAG_OVERLAPPED = 0x40000000;
    private const uint FILE_FLAG_FIRST_PIPE_INSTANCE = 0x00080000;
    private const uint GENERIC_READ = 0x80000000;
    private const uint OPEN_EXISTING = 3;

    internal static (SafeHandle Read, SafeHandle Write) CreateOverlapped() => Create(FILE_FLAG_OVERLAPPED);

    internal static (SafeHandle Read, SafeHandle Write) CreateSynchronous() => Create(0);

    private static (SafeHandle Read, SafeHandle Write) Create(uint flags)
    {
        string name = $@"\\.\pipe\wslrelay-test-{Guid.NewGuid():N}";
        SafeFileHandle write = CreateNamedPipeW(name, PIPE_ACCESS_OUTBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE | flags, 0, 1, 65536, 65536, 0, 0);
        if (write.IsInvalid)
            throw new Win32Exception();

        SafeFileHandle read = CreateFileW(name, GENERIC_READ, 0, 0, OPEN_EXISTING, flags, 0);
        return read.IsInvalid ? throw new Win32Exception() : (read, write);
    }

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial SafeFileHandle CreateNamedPipeW(
        string lpName,
        uint dwOpenMode,
        uint dwPipeMode,
        uint nMaxInstances,
        uint nOutBufferSize,
        uint nInBufferSize,
        uint nDefaultTimeOut,
        nint lpSecurityAttributes);

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial SafeFileHandle CreateFileW(
        string lpFileName,
        uint dwDesiredAccess,
        uint dwShareMode,
        nint lpSecurityAttributes,
        uint dwCreationDisposition,
        uint dwFlagsAndAttributes,
        nint hTemplateFile);
}
