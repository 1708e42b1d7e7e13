using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// The file of a listening Unix socket: open to its owner only, in the place of one that a dead process left behind, and gone when its listener
/// is closed. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class UnixListenerPath
{
    private const uint OwnerOnly = 0x180; // 0600

    /// <summary>Binds, for <see cref="Remove"/> to take away again. Returns 0 or an errno; EADDRINUSE means that somebody listens there.</summary>
    internal static unsafe int Bind(EpollHandle listener, string path, byte* address, uint length)
    {
        // The mode of the socket itself, less the umask, becomes the file's mode when it is bound: there is no moment at which others may connect.
        if (Libc.fchmod(listener, OwnerOnly) != 0)
        {
            return Errno.Last;
        }

        int error = Libc.bind(listener, address, length) == 0 ? 0 : Errno.Last;
        if (error == Errno.EADDRINUSE && IsStale(path, address, length))
        {
            File.Delete(path);
            error = Libc.bind(listener, address, length) == 0 ? 0 : Errno.Last;
        }

        return error;
    }

    /// <summary>Takes the file away; a name in the abstract namespace goes by itself.</summary>
    internal static void Remove(string path)
    {
        if (path.StartsWith('@'))
        {
            return;
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next listener takes it for stale.
        }
    }

    private static unsafe bool IsStale(string path, byte* address, uint length)
    {
        int descriptor = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (descriptor < 0)
        {
            return false;
        }

        using EpollHandle probe = new(null!, descriptor, isSocket: true);
        return Libc.connect(probe, address, length) != 0 && Errno.Last == Errno.ECONNREFUSED && IsSocket(path);
    }

    // connect(2) refuses at a file of another kind too, which is somebody's and stays.
    private static bool IsSocket(string path)
    {
        const uint TypeMask = 0xF000;
        const uint Socket = 0xC000;
        return Libc.statx(Libc.AT_FDCWD, path, Libc.AT_SYMLINK_NOFOLLOW, Libc.STATX_TYPE, out Libc.Statx status) == 0
            && (status.Mode & TypeMask) == Socket;
    }
}
