using System.Runtime.InteropServices;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>The headers of a recvmmsg(2) or sendmmsg(2) of many datagrams, in native memory: names, vectors and control data. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class DatagramMessages : IDisposable
{
    /// <summary>Room for IPV6_PKTINFO and a segment size.</summary>
    internal const int ControlSize = 80;

    private readonly byte* _memory;

    internal DatagramMessages()
    {
        const int Each = 64 + 16 + 32 + ControlSize;
        _memory = (byte*)NativeMemory.AlignedAlloc(DatagramBatch.Capacity * Each, 64);
        NativeMemory.Clear(_memory, DatagramBatch.Capacity * Each);
        Messages = (Libc.MultiMessageHeader*)_memory;
        Vectors = (Libc.IoVector*)(Messages + DatagramBatch.Capacity);
        Names = (byte*)(Vectors + DatagramBatch.Capacity);
        Controls = Names + (DatagramBatch.Capacity * 32);
    }

    internal Libc.MultiMessageHeader* Messages { get; }

    internal Libc.IoVector* Vectors { get; }

    private byte* Names { get; }

    private byte* Controls { get; }

    internal byte* Name(int index) => Names + (index * 32);

    internal byte* Control(int index) => Controls + (index * ControlSize);

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
