using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// io_uring_setup(2), io_uring_enter(2), io_uring(7), mmap(2); numbers, structures and constants from linux/io_uring.h, the same on x64 and arm64.
internal static partial class Libc
{
    internal const nint SYS_io_uring_setup = 425;
    internal const nint SYS_io_uring_enter = 426;

    internal const uint IORING_ENTER_GETEVENTS = 1;

    // Both queues in one mapping (5.4). FAST_POLL came with 5.7, which has every opcode that is used here.
    internal const uint IORING_FEAT_SINGLE_MMAP = 1;
    internal const uint IORING_FEAT_FAST_POLL = 1 << 5;

    internal const long IORING_OFF_SQ_RING = 0;
    internal const long IORING_OFF_SQES = 0x10000000;

    internal const byte IORING_OP_CLOSE = 19;
    internal const byte IORING_OP_SEND = 26;
    internal const byte IORING_OP_RECV = 27;

    internal const int PROT_READ_WRITE = 3;
    internal const int MAP_SHARED = 1;
    internal const int MAP_POPULATE = 0x8000;
    internal const nint MAP_FAILED = -1;

    /// <summary>Has no wrapper in libc: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static unsafe partial nint io_uring_setup(nint number, nuint entries, io_uring_params* p);

    /// <summary>Has no wrapper in libc: by syscall(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static unsafe partial nint io_uring_enter(nint number, nint fd, nuint to_submit, nuint min_complete, nuint flags, void* arg, nuint argsz);

    [LibraryImport("libc", EntryPoint = "mmap")]
    internal static unsafe partial nint mmap(void* addr, nuint length, int prot, int flags, nint fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    internal static unsafe partial int munmap(void* addr, nuint length);

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_sqring_offsets
    {
        internal uint head;
        internal uint tail;
        internal uint ring_mask;
        internal uint ring_entries;
        internal uint flags;
        internal uint dropped;
        internal uint array;
        internal uint resv1;
        internal ulong user_addr;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_cqring_offsets
    {
        internal uint head;
        internal uint tail;
        internal uint ring_mask;
        internal uint ring_entries;
        internal uint overflow;
        internal uint cqes;
        internal uint flags;
        internal uint resv1;
        internal ulong user_addr;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct io_uring_params
    {
        internal uint sq_entries;
        internal uint cq_entries;
        internal uint flags;
        internal uint sq_thread_cpu;
        internal uint sq_thread_idle;
        internal uint features;
        internal uint wq_fd;
        internal uint resv0;
        internal uint resv1;
        internal uint resv2;
        internal io_sqring_offsets sq_off;
        internal io_cqring_offsets cq_off;
    }

    /// <summary>A submission: 64 bytes, of which these are used here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal unsafe struct io_uring_sqe
    {
        [FieldOffset(0)]
        internal byte opcode;

        [FieldOffset(4)]
        internal int fd;

        [FieldOffset(16)]
        internal byte* addr;

        [FieldOffset(24)]
        internal uint len;

        [FieldOffset(28)]
        internal uint msg_flags;

        [FieldOffset(32)]
        internal ulong user_data;
    }

    /// <summary>A completion; <c>res</c> is what the call returned, or a negative errno.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct io_uring_cqe
    {
        internal ulong user_data;
        internal int res;
        internal uint flags;
    }
}
