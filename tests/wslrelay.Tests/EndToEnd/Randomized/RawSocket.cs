using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Wslrelay.Tests.EndToEnd.Randomized;

/// <summary>send(2), recv(2) and poll(2) without a wrapper: the bytes that each call accepted and each error are known.</summary>
internal static unsafe partial class RawSocket
{
    public const int EAGAIN = 11;
    public const int ECONNRESET = 104;
    public const int EPIPE = 32;
    private const int MSG_OOB = 1;
    private const int MSG_DONTWAIT = 0x40;
    private const int MSG_NOSIGNAL = 0x4000;
    private const short POLLIN = 1;
    private const short POLLOUT = 4;
    private const short POLLERR = 8;
    private const short POLLHUP = 16;

    /// <summary>How many bytes were accepted, or the negated error.</summary>
    public static int Send(Socket socket, ReadOnlySpan<byte> bytes, bool urgent = false)
    {
        fixed (byte* first = bytes)
        {
            return Result(send(Descriptor(socket), first, (nuint)bytes.Length, MSG_DONTWAIT | MSG_NOSIGNAL | (urgent ? MSG_OOB : 0)));
        }
    }

    /// <summary>How many bytes came, 0 at the end, or the negated error.</summary>
    public static int Receive(Socket socket, Span<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            return Result(recv(Descriptor(socket), first, (nuint)bytes.Length, MSG_DONTWAIT));
        }
    }

    public static bool WaitToSend(Socket socket, TimeSpan limit) => Poll(socket, POLLOUT, limit);

    public static bool WaitToReceive(Socket socket, TimeSpan limit) => Poll(socket, POLLIN, limit);

    /// <summary>Waits until the connection is gone in both directions.</summary>
    public static bool WaitForReset(Socket socket, TimeSpan limit) => Poll(socket, 0, limit);

    private static bool Poll(Socket socket, short events, TimeSpan limit)
    {
        var entry = new PollEntry { Descriptor = Descriptor(socket), Events = events };
        return poll(&entry, 1, (int)limit.TotalMilliseconds) > 0 && (entry.Returned & (events | POLLERR | POLLHUP)) != 0;
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    private static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint send(int sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint recv(int sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int poll(PollEntry* fds, nuint nfds, int timeout);

    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
