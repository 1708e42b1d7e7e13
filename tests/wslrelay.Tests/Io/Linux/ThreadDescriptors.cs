using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A table of descriptors for the calling thread alone (unshare(2)), so that it can run out of them and nobody else does.</summary>
internal static partial class ThreadDescriptors
{
    private const int CLONE_FILES = 0x400;

    /// <summary>
    /// From now on what this thread opens and closes is its own. Its copies of the sockets and pipes of others are closed: they would keep those open.
    /// </summary>
    internal static void Separate()
    {
        Assert.Equal(0, Unshare(CLONE_FILES));
        foreach (string path in Directory.GetFiles("/proc/thread-self/fd"))
        {
            if (new FileInfo(path).LinkTarget is { } target && (target.StartsWith("socket:", StringComparison.Ordinal) || target.StartsWith("pipe:", StringComparison.Ordinal)))
                _ = Close(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
        }
    }

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

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Dup(int descriptor);
}
