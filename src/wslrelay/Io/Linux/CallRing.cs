using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Makes a batch of calls with one io_uring_enter. None blocks, so that nothing is in flight between two runs. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class CallRing : IDisposable
{
    private readonly SafeFileHandle _ring;
    private readonly byte* _queues;
    private readonly nuint _queuesSize;
    private readonly Libc.io_uring_sqe* _entries;
    private readonly nuint _entriesSize;
    private readonly Libc.io_uring_params _layout;

    private CallRing(SafeFileHandle ring, in Libc.io_uring_params layout)
    {
        _ring = ring;
        _layout = layout;
        _queuesSize = Math.Max(
            layout.sq_off.array + (layout.sq_entries * sizeof(uint)),
            layout.cq_off.cqes + (layout.cq_entries * (uint)sizeof(Libc.io_uring_cqe)));
        _entriesSize = layout.sq_entries * (uint)sizeof(Libc.io_uring_sqe);
        _queues = Map(_queuesSize, Libc.IORING_OFF_SQ_RING);
        _entries = (Libc.io_uring_sqe*)Map(_entriesSize, Libc.IORING_OFF_SQES);
    }

    private bool IsMapped => _queues is not null && _entries is not null;

    /// <summary>Creates a ring; null if the system does not have io_uring or denies it to this process.</summary>
    internal static CallRing? TryCreate(int capacity)
    {
        Libc.io_uring_params layout = default;
        nint descriptor = Libc.io_uring_setup(Libc.SYS_io_uring_setup, (nuint)capacity, &layout);
        if (descriptor < 0)
            return null;

        const uint Needed = Libc.IORING_FEAT_SINGLE_MMAP | Libc.IORING_FEAT_FAST_POLL;
        CallRing ring = new(new SafeFileHandle(descriptor, ownsHandle: true), layout);
        if (ring.IsMapped && (layout.features & Needed) == Needed)
            return ring;

        ring.Dispose();
        return null;
    }

    /// <summary>Returns how many calls were made: fewer only if io_uring_enter failed, after which the ring must be disposed.</summary>
    internal int Run(ReadOnlySpan<SystemCall> calls, Span<int> results)
    {
        uint tail = *At(_layout.sq_off.tail);
        uint mask = *At(_layout.sq_off.ring_mask);
        for (int i = 0; i < calls.Length; i++)
        {
            SystemCall call = calls[i];
            uint index = tail++ & mask;
            _entries[index] = new Libc.io_uring_sqe
            {
                opcode = call.Opcode,
                fd = (int)call.Socket.DangerousGetHandle(),
                addr = call.Memory,
                len = (uint)call.Size,
                msg_flags = call.Flags,
                user_data = (ulong)i,
            };
            At(_layout.sq_off.array)[index] = index;
        }

        Volatile.Write(ref *At(_layout.sq_off.tail), tail);
        return Enter(calls.Length, results);
    }

    public void Dispose()
    {
        if (_queues is not null)
            _ = Libc.munmap(_queues, _queuesSize);

        if (_entries is not null)
            _ = Libc.munmap(_entries, _entriesSize);

        _ring.Dispose();
    }

    private int Enter(int count, Span<int> results)
    {
        nint ring = _ring.DangerousGetHandle();
        int submitted = 0;
        int total = count;
        for (int done = 0; done < total;)
        {
            int result = Errno.Result(Libc.io_uring_enter(
                Libc.SYS_io_uring_enter, ring, (nuint)(total - submitted), (nuint)(total - done), Libc.IORING_ENTER_GETEVENTS, null, 0));
            submitted += Math.Max(result, 0);
            done += Reap(results);
            if (result is < 0 and not -Errno.EINTR)
            {
                // Withdraws what was not submitted. What was has to be waited for, since the kernel may write to its memory.
                total = submitted;
                Volatile.Write(ref *At(_layout.sq_off.tail), Volatile.Read(ref *At(_layout.sq_off.head)));
            }
        }

        return total;
    }

    private int Reap(Span<int> results)
    {
        uint head = *At(_layout.cq_off.head);
        uint tail = Volatile.Read(ref *At(_layout.cq_off.tail));
        uint mask = *At(_layout.cq_off.ring_mask);
        var completions = (Libc.io_uring_cqe*)At(_layout.cq_off.cqes);
        int count = (int)(tail - head);
        for (; head != tail; head++)
        {
            Libc.io_uring_cqe* completion = completions + (head & mask);
            results[(int)completion->user_data] = completion->res;
        }

        Volatile.Write(ref *At(_layout.cq_off.head), head);
        return count;
    }

    private uint* At(uint offset) => (uint*)(_queues + offset);

    private byte* Map(nuint size, long offset)
    {
        nint mapping = Libc.mmap(null, size, Libc.PROT_READ_WRITE, Libc.MAP_SHARED | Libc.MAP_POPULATE, _ring.DangerousGetHandle(), offset);
        return mapping == Libc.MAP_FAILED ? null : (byte*)mapping;
    }
}
