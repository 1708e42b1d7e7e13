using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// The file of a Unix listener: accessible to its owner only, put in the place of a stale one, and deleted when its listener is closed. A lock on its
/// folder makes "is it stale, delete it, bind, listen" one step for all relays, so that two that start together cannot delete each other's file.
/// Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class UnixListenerFile
{
    private const uint OwnerOnly = 0x180; // 0600
    private const int LockMilliseconds = 5000;
    private const int LockMillisecondsAtEnd = 100;
    private const int LockRetryMilliseconds = 5;

    private readonly string _path;
    private readonly FileStatus? _status;

    private UnixListenerFile(string path) => (_path, _status) = (path, FileStatus.Of(path));

    /// <summary>Binds and listens at the endpoint's path.</summary>
    /// <exception cref="IoException">Another socket has the path, or the system refuses.</exception>
    internal static UnixListenerFile Listen(EpollHandle listener, in IoEndpoint endpoint, int backlog)
    {
        string path = endpoint.Path!;
        string folder = FolderOf(path);
        if (!Directory.Exists(folder))
            throw new IoException(IoError.Failed, Errno.ENOENT, $"unix:{path}: there is no folder {folder}");

        using SafeFileHandle folderLock = LockFolder(folder, LockMilliseconds)
            ?? throw new IoException(IoError.AddressInUse, 0, $"unix:{path}: another process keeps the folder {folder} locked (flock(2))");

        // The mode of the socket, less the umask, becomes the mode of the file: at no moment can others connect.
        Check(Libc.fchmod(listener, OwnerOnly), path);
        int error = listener.Bind(endpoint);
        if (error == Errno.EADDRINUSE && IsStale(endpoint))
        {
            File.Delete(path);
            error = listener.Bind(endpoint);
        }

        if (error != 0)
            throw Errno.Exception(error, endpoint.ToString());

        UnixListenerFile file = new(path);
        try
        {
            Check(Libc.listen(listener, backlog), path);
            return file;
        }
        catch (IoException)
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Deletes the file, unless another socket has taken its place. One that cannot be deleted is stale for the next listener.</summary>
    internal void Delete()
    {
        using SafeFileHandle? folderLock = LockFolder(FolderOf(_path), LockMillisecondsAtEnd);
        if (folderLock is null || FileStatus.Of(_path) != _status)
            return;

        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";

    // By flock(2): no lock file is left behind, and the kernel releases it with the process. Null after the timeout; a folder that cannot be locked (no
    // permission to read it, or a file system without locks) counts as locked.
    private static SafeFileHandle? LockFolder(string folder, int timeoutMilliseconds)
    {
        SafeFileHandle handle = new(Libc.open(folder, Libc.O_RDONLY | Libc.O_CLOEXEC), ownsHandle: true);
        long deadline = Environment.TickCount64 + timeoutMilliseconds;
        while (!handle.IsInvalid && Libc.flock(handle, Libc.LOCK_EX | Libc.LOCK_NB) != 0 && Errno.Last is Errno.EAGAIN or Errno.EINTR)
        {
            if (Environment.TickCount64 >= deadline)
            {
                handle.Dispose();
                return null;
            }

            Thread.Sleep(LockRetryMilliseconds);
        }

        return handle;
    }

    private static void Check(int result, string path)
    {
        if (result != 0)
            throw Errno.Exception(Errno.Last, $"unix:{path}");
    }

    // A socket that nobody listens on and nobody is about to listen on: a socket that is bound and does not listen yet refuses connections too. Other kinds of files refuse them as well,
    // and are not touched.
    private static bool IsStale(in IoEndpoint endpoint)
    {
        int descriptor = SocketAddress.Open(endpoint);
        if (descriptor < 0)
            return false;

        using EpollHandle probe = new(null!, descriptor, isSocket: true);
        return probe.Connect(endpoint) == Errno.ECONNREFUSED && FileStatus.Of(endpoint.Path!) is { Type: FileType.Socket } && !IsBound(endpoint.Path!);
    }

    // proc(5): the last column is the path as it was given to bind.
    private static bool IsBound(string path)
    {
        try
        {
            string full = Path.GetFullPath(path);
            return File.ReadLines("/proc/net/unix").Any(line =>
                line.EndsWith(' ' + path, StringComparison.Ordinal) || line.EndsWith(' ' + full, StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
