using System.Runtime.InteropServices;

namespace Wslrelay.Io.Linux.Interop;

// io_uring_setup(2), io_uring_enter(2), io_uring(7), mmap(2); numbers, structures and constants from linux/io_uring.h, the same on x64 and arm64.
internal abstract unsafe partial class Libc
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

    // The first two have no wrapper in libc: by syscall(2).
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint io_uring_setup(nint number, nuint entries, io_uring_params* p);
    [LibraryImport("libc", EntryPoint = "syscall")]
    internal static partial nint io_uring_enter(nint number, nint fd, nuint to_submit, nuint min_complete, nuint flags, void* arg, nuint argsz);
    [LibraryImport("libc")]
    internal static partial nint mmap(void* addr, nuint length, int prot, int flags, nint fd, long offset);
    [LibraryImport("libc")]
    internal static partial int munmap(void* addr, nuint length);

    /// <summary>120 bytes, of which these are read: with the offsets of the submission (sq) and completion queue (cq) in their mapping.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct io_uring_params
    {
        [FieldOffset(0)] internal uint sq_entries;
        [FieldOffset(4)] internal uint cq_entries;
        [FieldOffset(20)] internal uint features;
        [FieldOffset(40)] internal io_sqring_offsets sq_off;
        [FieldOffset(80)] internal io_cqring_offsets cq_off;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct io_sqring_offsets
    {
        [FieldOffset(0)] internal uint head;
        [FieldOffset(4)] internal uint tail;
        [FieldOffset(8)] internal uint ring_mask;
        [FieldOffset(24)] internal uint array;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct io_cqring_offsets
    {
        [FieldOffset(0)] internal uint head;
        [FieldOffset(4)] internal uint tail;
        [FieldOffset(8)] internal uint ring_mask;
        [FieldOffset(20)] internal uint cqes;
    }

    /// <summary>A submission: 64 bytes, of which these are used here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct io_uring_sqe
    {
        [FieldOffset(0)] internal byte opcode;
        [FieldOffset(4)] internal int fd;
        [FieldOffset(16)] internal byte* addr;
        [FieldOffset(24)] internal uint len;
        [FieldOffset(28)] internal uint msg_flags;
        [FieldOffset(32)] internal ulong user_data;
    }

    /// <summary>A completion; <c>res</c> is what the call returned, or a negative errno.</summary>
    internal struct io_uring_cqe
    {
        internal ulong user_data;
        internal int res;
        internal uint flags;
    }
}
