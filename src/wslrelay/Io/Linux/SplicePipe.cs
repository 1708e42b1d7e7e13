using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>A pipe through which splice moves bulk data between sockets without copying it to this process. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SplicePipe : IDisposable
{
    /// <summary>The preferred capacity in bytes; the system may allow less.</summary>
    internal const int WantedCapacity = 1 << 20;

    // A smaller pipe is not worth its calls; the system returns those when the user's budget (pipe-user-pages-soft) is used up.
    private const int MinCapacity = 64 * 1024;

    private SplicePipe(SafeFileHandle readEnd, SafeFileHandle writeEnd, int capacity) => (ReadEnd, WriteEnd, Capacity) = (readEnd, writeEnd, capacity);

    internal SafeFileHandle ReadEnd { get; }

    internal SafeFileHandle WriteEnd { get; }

    internal int Capacity { get; }

    /// <summary>Creates a pipe; null if the system refuses.</summary>
    internal static unsafe SplicePipe? TryCreate()
    {
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_NONBLOCK | Libc.O_CLOEXEC) != 0)
            return null;

        SafeFileHandle readEnd = new(ends[0], ownsHandle: true);
        SafeFileHandle writeEnd = new(ends[1], ownsHandle: true);
        for (int size = WantedCapacity; size >= MinCapacity; size /= 4)
        {
            int capacity = Libc.fcntl(ends[1], Libc.F_SETPIPE_SZ, size);
            if (capacity >= size)
                return new SplicePipe(readEnd, writeEnd, capacity);
        }

        readEnd.Dispose();
        writeEnd.Dispose();
        return null;
    }

    public void Dispose()
    {
        ReadEnd.Dispose();
        WriteEnd.Dispose();
    }
}
