using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Descriptor 0, 1 or 2, used by read(2) and write(2), which share its offset with the other processes that have it.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class LinuxStandardStream : StandardStream
{
    private readonly int _descriptor;

    internal LinuxStandardStream(int descriptor)
    {
        // An inherited descriptor cannot be close-on-exec: if it is, it was closed at the start, and the runtime has opened something of its own under that number.
        int flags = Libc.fcntl(descriptor, Libc.F_GETFD, 0);
        bool isMissing = flags < 0 || (flags & Libc.FD_CLOEXEC) != 0;

        // The null device takes the number of the missing one if that is free, so that no socket gets it. Not close-on-exec, as any standard stream.
        _descriptor = isMissing ? Libc.open("/dev/null", Libc.O_RDWR) : descriptor;
        Handle = new SafeFileHandle(_descriptor, ownsHandle: false);
        byte nothing;
        ReadProblem = isMissing ? "it is closed"
            : Libc.read(Handle, &nothing, 0) == 0 || Errno.Last == Errno.EAGAIN ? null
            : (Libc.fcntl(_descriptor, Libc.F_GETFL, 0) & Libc.O_ACCMODE) == Libc.O_WRONLY ? "it is open for writing only"
            : $"it cannot be read: {Marshal.GetPInvokeErrorMessage(Errno.Last)}";
    }

    public override SafeHandle Handle { get; }

    public override string? ReadProblem { get; }

    public override (int Columns, int Rows)? TerminalSize
    {
        get
        {
            // struct winsize: rows, columns, and twice 16 bits that nobody fills. A serial line has no size: 0.
            ushort* size = stackalloc ushort[4];
            return Libc.ioctl(Handle, Libc.TIOCGWINSZ, (int*)size) != 0 ? null : size[0] == 0 || size[1] == 0 ? (80, 24) : (size[1], size[0]);
        }
    }

    public override bool UseEscapes() => Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    public override int Read(Span<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            nint count;
            do
            {
                count = Libc.read(Handle, bytes, (nuint)buffer.Length);
            }
            while (count < 0 && CanRetry(Libc.POLLIN));
            return (int)Math.Max(count, 0);
        }
    }

    public override bool Write(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nuint written = 0;
            while (written < (nuint)bytes.Length)
            {
                nint count = Libc.write(Handle, start + written, (nuint)bytes.Length - written);
                if (count < 0 && !CanRetry(Libc.POLLOUT))
                    return false;

                written += (nuint)Math.Max(count, 0);
            }

            return true;
        }
    }

    // Another process that shares it may have made it non-blocking.
    private bool CanRetry(short events)
    {
        int error = Errno.Last;
        if (error != Errno.EAGAIN)
            return error == Errno.EINTR;

        Libc.PollDescriptor wait = new() { fd = _descriptor, events = events };
        return Libc.poll(&wait, 1, -1) >= 0 || Errno.Last == Errno.EINTR;
    }
}
