using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// sendmsg(2), recvmsg(2), cmsg(3), unix(7); layouts of 64-bit Linux, the same on x64 and arm64.
internal static partial class Libc
{
    internal const int SCM_RIGHTS = 1;
    internal const int MSG_CTRUNC = 0x8;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;

    internal const int SO_TYPE = 3;
    internal const int SO_ACCEPTCONN = 30;
    internal const int SO_PROTOCOL = 38;

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    internal static unsafe partial nint sendmsg(SafeHandle sockfd, MessageHeader* msg, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg")]
    internal static unsafe partial nint recvmsg(SafeHandle sockfd, MessageHeader* msg, int flags);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct IoVector
    {
        internal byte* Base;
        internal nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct MessageHeader
    {
        internal byte* Name;
        internal uint NameLength;
        internal IoVector* Vectors;
        internal nuint VectorCount;
        internal byte* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    /// <summary>struct cmsghdr; its data follows, and the next header at a multiple of eight bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ControlHeader
    {
        internal nuint Length;
        internal int Level;
        internal int Type;
    }
}
