using System.Diagnostics;
using System.Runtime.InteropServices;
using static Wslrelay.Io.Windows.Interop.Kernel32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// What is lent to the kernel for one overlapped call: an OVERLAPPED in native memory, first in its block, so that a packet's pointer is the
/// block's. From the call to its packet the block references the slot, and the slot its operation: neither can be collected while the
/// kernel may write. Loop thread only, but for PostOnce.
/// </summary>
[SupportedOSPlatform("windows")]
internal unsafe class OverlappedSlot
{
    /// <summary>Bytes after the block that the kernel may write too, where no other number is asked for.</summary>
    internal const int MemorySize = 512;

    private const byte Poison = 0xDD;

    private readonly CompletionPort _port;
    private GCHandle _self;
    private Block* _block;
    private IoOperation? _operation;

    internal OverlappedSlot(CompletionPort port, int memorySize = MemorySize)
    {
        _port = port;
        _block = (Block*)NativeMemory.AllocZeroed((nuint)(sizeof(Block) + memorySize));
        _self = GCHandle.Alloc(null);
        _block->Self = GCHandle.ToIntPtr(_self);
        PoisonOverlapped();
    }

    /// <summary>True from the call to its packet.</summary>
    internal bool IsLent => _operation is not null;

    internal OVERLAPPED* Overlapped => &_block->Overlapped;

    internal byte* Memory => (byte*)(_block + 1);

    /// <summary>The slot of a packet.</summary>
    internal static OverlappedSlot Of(OVERLAPPED* overlapped) => (OverlappedSlot)GCHandle.FromIntPtr(((Block*)overlapped)->Self).Target!;

    /// <summary>Lends the slot to the call that the operation is about to make.</summary>
    internal OVERLAPPED* Lend(IoOperation operation)
    {
        CheckPoison();
        _operation = operation;
        _block->Overlapped = default;
        _block->Posted = 0;
        _self.Target = this;
        _port.InFlight++;
        return &_block->Overlapped;
    }

    /// <summary>Takes the slot back: its packet has come, or the call failed at once and none will. Returns whose it was.</summary>
    internal IoOperation TakeBack()
    {
        Debug.Assert(IsLent, "a slot was taken back twice");
        IoOperation operation = _operation!;
        _operation = null;
        _self.Target = null;
        PoisonOverlapped();
        _port.InFlight--;
        return operation;
    }

    /// <summary>
    /// What became of the call that this slot was lent to. Done now (0): its packet is queued all the same. Pending: its packet will come. Failed:
    /// none will, so the slot is taken back; false.
    /// </summary>
    internal bool AwaitsPacket(int error)
    {
        if (error is 0 or ERROR_IO_PENDING)
            return true;

        TakeBack();
        return false;
    }

    /// <summary>Posts the slot's packet without a call, to wake the operation.</summary>
    internal void Wake(IoOperation operation)
    {
        Lend(operation);
        PostOnce();
    }

    /// <summary>Posts this lent slot's packet instead of the kernel, once: later calls do nothing. For any thread.</summary>
    internal void PostOnce()
    {
        if (Interlocked.Exchange(ref _block->Posted, 1) == 0)
            _port.Post(&_block->Overlapped);
    }

    /// <summary>Frees the memory. The slot is not lent.</summary>
    internal void Free()
    {
        CheckPoison();
        _self.Free();
        NativeMemory.Free(_block);
        _block = null;
    }

    // Poisoned while it is not lent: a write of the kernel after its packet is found when the slot is used next, and so is a slot that is still lent.
    [Conditional("DEBUG")]
    private void CheckPoison()
    {
        if (new ReadOnlySpan<byte>(&_block->Overlapped, sizeof(OVERLAPPED)).ContainsAnyExcept(Poison))
            Environment.FailFast("The kernel wrote to an overlapped slot that was not lent, or one was reused or freed while it was lent.");
    }

    [Conditional("DEBUG")]
    private void PoisonOverlapped() => new Span<byte>(&_block->Overlapped, sizeof(OVERLAPPED)).Fill(Poison);

    /// <summary>The native side. The OVERLAPPED must be first.</summary>
    internal struct Block
    {
        internal OVERLAPPED Overlapped;
        internal nint Self;
        internal int Posted;
    }
}
