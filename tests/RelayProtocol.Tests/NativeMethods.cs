using System.Runtime.InteropServices;

namespace RelayProtocol.Tests;

/// <summary>dup(2) and close(2), by which tests make what a child must not inherit.</summary>
internal static partial class NativeMethods
{
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int dup(int fd);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    internal static partial int close(int fd);
}
