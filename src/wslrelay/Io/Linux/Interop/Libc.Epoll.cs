using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// epoll(7), epoll_ctl(2), epoll_wait(2); constants from linux/eventpoll.h. What the library declares for itself is not declared here again.
[SupportedOSPlatform("linux")]
internal abstract unsafe partial class Libc : RelayProtocol.Linux.Interop.Libc
{
    internal const int EPOLL_CLOEXEC = 0x80000;
    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;

    internal const uint EPOLLIN = 0x001;
    internal const uint EPOLLPRI = 0x002;
    internal const uint EPOLLOUT = 0x004;
    internal const uint EPOLLERR = 0x008;
    internal const uint EPOLLHUP = 0x010;
    internal const uint EPOLLRDHUP = 0x2000;
    internal const uint EPOLLET = 0x80000000;

    [LibraryImport("libc")]
    internal static partial int epoll_create1(int flags);
    [LibraryImport("libc")]
    [SuppressGCTransition]
    internal static partial int epoll_ctl(SafeHandle epfd, int op, SafeHandle fd, byte* @event);
    [LibraryImport("libc")]
    internal static partial int epoll_wait(SafeHandle epfd, byte* events, int maxevents, int timeout);
}
