using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>An exclusive flock(2) on a folder: no lock file is left behind, and the kernel releases it with the process.</summary>
[SupportedOSPlatform("linux")]
internal sealed class FolderLock : IDisposable
{
    private const int RetryMilliseconds = 5;

    private readonly SafeFileHandle? _folder;

    private FolderLock(SafeFileHandle? folder) => _folder = folder;

    /// <summary>Waits for the lock; null after the timeout. A folder that cannot be locked (no permission to read it, or a file system without locks) counts as locked.</summary>
    internal static FolderLock? Take(string folder, int timeoutMilliseconds)
    {
        int descriptor = Libc.open(folder, Libc.O_RDONLY | Libc.O_CLOEXEC);
        if (descriptor < 0)
            return new FolderLock(null);

        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        long deadline = Environment.TickCount64 + timeoutMilliseconds;
        while (Libc.flock(handle, Libc.LOCK_EX | Libc.LOCK_NB) != 0 && Errno.Last is (Errno.EAGAIN or Errno.EINTR))
        {
            if (Environment.TickCount64 >= deadline)
            {
                handle.Dispose();
                return null;
            }

            Thread.Sleep(RetryMilliseconds);
        }

        return new FolderLock(handle);
    }

    public void Dispose() => _folder?.Dispose();
}
