using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using static Wslrelay.Io.Windows.Interop.Kernel32;

namespace Wslrelay.Io.Windows;

/// <summary>
/// What is lent to the kernel for one overlapped call: an OVERLAPPED in native memory, first in its block, so that a packet's pointer is the
/// block's. From the call to its packet the block references the slot, and the slot its operation: neither can be collected while the
/// kernel may write. Loop thread only, but for PostOnce.
/// </summary>
[SupportedOSPlatform("windows")]
internal unsafe class OverlappedSlot
{
    /// <summary>Bytes after the block, where nothing else is asked for.</summary>
    internal const int MemorySize = 512;

    private const uint CanaryIdle = 0x454C4449;
    private const uint CanaryLent = 0x544E454C;
    private const uint CanaryFreed = 0x45455246;
    private const byte Poison = 0xDD;

    private readonly CompletionPort _port;
    private Block* _block;
    private IoOperation? _operation;

    /// <summary>Makes a slot with so many bytes after the block that the kernel may write too.</summary>
    internal OverlappedSlot(CompletionPort port, int memorySize = MemorySize)
    {
        _port = port;
        _block = (Block*)NativeMemory.AllocZeroed((nuint)(sizeof(Block) + memorySize));
        _block->Self = GCHandle.ToIntPtr(GCHandle.Alloc(null));
        _block->Canary = CanaryIdle;
        PoisonOverlapped();
    }

    /// <summary>True from the call to its packet.</summary>
    internal bool IsLent => _operation is not null;

    internal OVERLAPPED* Overlapped => &_block->Overlapped;

    /// <summary>The bytes after the block.</summary>
    internal byte* Memory => (byte*)(_block + 1);

    /// <summary>The slot of a packet.</summary>
    internal static OverlappedSlot Of(OVERLAPPED* overlapped)
    {
        var block = (Block*)overlapped;
        CheckCanary(block, CanaryLent);
        return (OverlappedSlot)GCHandle.FromIntPtr(block->Self).Target!;
    }

    /// <summary>Lends the slot to the call that the operation is about to make.</summary>
    internal OVERLAPPED* Lend(IoOperation operation)
    {
        CheckCanary(_block, CanaryIdle);
        CheckPoison();
        _operation = operation;
        _block->Overlapped = default;
        _block->Canary = CanaryLent;
        _block->Posted = 0;
        GCHandle self = GCHandle.FromIntPtr(_block->Self);
        self.Target = this;
        _port.InFlight++;
        return &_block->Overlapped;
    }

    /// <summary>Takes the slot back: its packet has come, or the call failed at once and none will. Returns whose it was.</summary>
    internal IoOperation TakeBack()
    {
        CheckCanary(_block, CanaryLent);
        IoOperation operation = _operation!;
        _operation = null;
        _block->Canary = CanaryIdle;
        GCHandle self = GCHandle.FromIntPtr(_block->Self);
        self.Target = null;
        PoisonOverlapped();
        _port.InFlight--;
        return operation;
    }

    /// <summary>Posts this lent slot's packet in the kernel's stead, once: later calls do nothing. For any thread.</summary>
    internal void PostOnce()
    {
        if (Interlocked.Exchange(ref _block->Posted, 1) == 0)
            _port.Post(&_block->Overlapped);
    }

    /// <summary>Frees the memory. The slot is not lent.</summary>
    internal void Free()
    {
        CheckCanary(_block, CanaryIdle);
        CheckPoison();
        GCHandle.FromIntPtr(_block->Self).Free();
        _block->Canary = CanaryFreed;
        NativeMemory.Free(_block);
        _block = null;
    }

    [Conditional("DEBUG")]
    private static void CheckCanary(Block* block, uint expected)
    {
        if (block->Canary != expected)
            Environment.FailFast($"An overlapped slot is {block->Canary:x8} where {expected:x8} was expected: freed or reused while lent.");
    }

    // Poisoned while it is not lent: a write of the kernel after its packet is found when the slot is used next.
    [Conditional("DEBUG")]
    private void CheckPoison()
    {
        if (new ReadOnlySpan<byte>(&_block->Overlapped, sizeof(OVERLAPPED)).ContainsAnyExcept(Poison))
            Environment.FailFast("The kernel wrote to an overlapped slot that was not lent.");
    }

    [Conditional("DEBUG")]
    private void PoisonOverlapped() => new Span<byte>(&_block->Overlapped, sizeof(OVERLAPPED)).Fill(Poison);

    /// <summary>The native side. The OVERLAPPED must be first.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Block
    {
        internal OVERLAPPED Overlapped;
        internal nint Self;
        internal uint Canary;
        internal int Posted;
    }
}
