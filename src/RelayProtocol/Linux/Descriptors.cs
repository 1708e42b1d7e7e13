using System.ComponentModel;
using Microsoft.Win32.SafeHandles;
using RelayProtocol.Linux.Interop;

namespace RelayProtocol.Linux;

/// <summary>Makes descriptors that no other child can inherit. Any thread.</summary>
[SupportedOSPlatform("linux")]
internal static class Descriptors
{
    /// <summary>The first descriptor that the child does not get: 0, 1 and 2 are standard, 3 is the exit event.</summary>
    internal const int FirstNotInherited = 4;

    /// <exception cref="Win32Exception">The process is out of descriptors.</exception>
    internal static unsafe (SafePipeHandle Read, SafePipeHandle Write) Pipe()
    {
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC) != 0)
            throw Platform.Failure("cannot make a pipe", Marshal.GetLastSystemError());
        using SafePipeHandle read = new(ends[0], ownsHandle: true), write = new(ends[1], ownsHandle: true);
        return (Duplicate(read), Duplicate(write));
    }

    /// <summary>A copy above the descriptors that a spawn assigns, so that assigning one never overwrites another.</summary>
    internal static SafePipeHandle Duplicate(SafeHandle handle)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            int copy = Libc.fcntl((int)handle.DangerousGetHandle(), Libc.F_DUPFD_CLOEXEC, FirstNotInherited);
            return copy < 0 ? throw Platform.Failure("cannot duplicate a descriptor", Marshal.GetLastSystemError()) : new SafePipeHandle(copy, ownsHandle: true);
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
