using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Linux.Interop;

namespace RelayProtocol.Linux;

/// <summary>Makes descriptors that no other child can inherit. Any thread.</summary>
[SupportedOSPlatform("linux")]
internal static class Descriptors
{
    /// <summary>The first descriptor that the child does not get: 0, 1 and 2 are standard, 3 is the exit event.</summary>
    internal const int FirstNotInherited = 4;

    internal static unsafe (SafePipeHandle Read, SafePipeHandle Write) Pipe()
    {
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
            throw Platform.Failure("cannot make a pipe", Marshal.GetLastSystemError());
        var read = new SafePipeHandle(ends[0], ownsHandle: true);
        var write = new SafePipeHandle(ends[1], ownsHandle: true);
        return (Raise(read), Raise(write));
    }

    /// <summary>
    /// Moves a descriptor above those that a spawn assigns, so that assigning one never overwrites another. A new descriptor is that low only if this process has
    /// standard streams closed.
    /// </summary>
    private static SafePipeHandle Raise(SafePipeHandle handle)
    {
        int descriptor = (int)handle.DangerousGetHandle();
        if (descriptor >= FirstNotInherited)
            return handle;
        int raised = Libc.fcntl(descriptor, Libc.F_DUPFD_CLOEXEC, FirstNotInherited);
        Win32Exception? failure = raised < 0 ? Platform.Failure("cannot move a pipe", Marshal.GetLastSystemError()) : null;
        handle.Dispose();
        return failure is null ? new SafePipeHandle(raised, ownsHandle: true) : throw failure;
    }

    /// <summary>A copy of the exit event above the descriptors that a spawn assigns; also keeps it open during the spawn.</summary>
    internal static SafeFileHandle Duplicate(SafeHandle handle)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            int copy = Libc.fcntl((int)handle.DangerousGetHandle(), Libc.F_DUPFD_CLOEXEC, FirstNotInherited);
            return copy < 0 ? throw Platform.Failure("cannot pass the exit event on", Marshal.GetLastSystemError()) : new SafeFileHandle(copy, ownsHandle: true);
        }
        finally
        {
            if (held)
                handle.DangerousRelease();
        }
    }

    internal static bool IsOpen(int descriptor) => Libc.fcntl(descriptor, Libc.F_GETFD, 0) >= 0;

    /// <summary>Open descriptors from <see cref="FirstNotInherited"/> on that a child would inherit.</summary>
    internal static List<int> Inheritable()
    {
        var list = new List<int>();
        foreach (string entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), out int descriptor) && descriptor >= FirstNotInherited
                && Libc.fcntl(descriptor, Libc.F_GETFD, 0) is >= 0 and int flags && (flags & Libc.FD_CLOEXEC) == 0)
            {
                list.Add(descriptor);
            }
        }
        return list;
    }
}
