using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// netlink(7), sock_diag(7): constants and layouts from linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
internal abstract unsafe partial class Libc
{
    internal const int AF_NETLINK = 16;
    internal const int SOCK_RAW = 3;
    internal const int NETLINK_SOCK_DIAG = 4;
    internal const ushort SOCK_DIAG_BY_FAMILY = 20;
    internal const ushort NLM_F_REQUEST = 1;
    internal const ushort NLM_F_DUMP = 0x300;
    internal const ushort NLMSG_ERROR = 2;
    internal const ushort NLMSG_DONE = 3;
    internal const int TCP_CLOSE = 7;
    internal const int TCP_LISTEN = 10;
    internal const ushort INET_DIAG_SKV6ONLY = 11;

    /// <summary>struct nlmsghdr, a message's header; each message begins at a multiple of four bytes.</summary>
    internal struct NetlinkHeader
    {
        internal uint nlmsg_len;
        internal ushort nlmsg_type;
        internal ushort nlmsg_flags;
        internal uint nlmsg_seq;
        internal uint nlmsg_pid;
    }

    /// <summary>A request for a dump: <c>nlmsghdr</c> and <c>inet_diag_req_v2</c>, whose socket id of 48 bytes stays empty.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    internal struct inet_diag_dump
    {
        [FieldOffset(0)] internal NetlinkHeader header;
        [FieldOffset(16)] internal byte sdiag_family;
        [FieldOffset(17)] internal byte sdiag_protocol;
        [FieldOffset(20)] internal uint idiag_states;
    }

    /// <summary><c>inet_diag_msg</c>; attributes follow it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    internal struct inet_diag_msg
    {
        [FieldOffset(0)] internal byte idiag_family;
        [FieldOffset(4)] internal ushort idiag_sport; // big-endian
        [FieldOffset(8)] internal fixed byte idiag_src[16];
        [FieldOffset(64)] internal uint idiag_uid;
        [FieldOffset(68)] internal uint idiag_inode;
    }

    /// <summary>struct nlattr, an attribute's header: its length, with the header, and its type. The next begins at a multiple of four bytes.</summary>
    internal struct NetlinkAttribute
    {
        internal ushort nla_len;
        internal ushort nla_type;
    }
}
