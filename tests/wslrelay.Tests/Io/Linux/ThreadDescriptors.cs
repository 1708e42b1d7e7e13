using System.Runtime.InteropServices;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A table of descriptors for the calling thread alone (unshare(2)), so that it can run out of them and nobody else does.</summary>
internal static partial class ThreadDescriptors
{
    private const int CLONE_FILES = 0x400;

    /// <summary>From now on what this thread opens and closes is its own.</summary>
    internal static void Separate() => Assert.Equal(0, Unshare(CLONE_FILES));

    /// <summary>Leaves none.</summary>
    internal static void TakeAll()
    {
        while (Dup(0) >= 0)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Dup(int descriptor);
}
