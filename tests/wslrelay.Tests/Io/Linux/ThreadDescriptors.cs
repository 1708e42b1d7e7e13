using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A descriptor table for the calling thread only (unshare(2)), so that it can run out of descriptors without any other thread doing so.</summary>
internal static partial class ThreadDescriptors
{
    private const int CLONE_FILES = 0x400;

    /// <summary>
    /// From now on this thread opens and closes descriptors in its own table. Its copies of other threads' sockets and pipes are closed: they would keep those open.
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

    /// <summary>Uses up all descriptors.</summary>
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
