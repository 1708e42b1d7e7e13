namespace Wslrelay.Io;

/// <summary>
/// Buffers on the pinned heap, for data that is on its way: an idle connection holds none. Keeps a few, so that a burst
/// does not stay in memory. Loop thread only.
/// </summary>
internal sealed class BufferPool(int size = BufferPool.BufferSize, int mostKept = BufferPool.MaxKept)
{
    /// <summary>Bytes in each buffer of a pool for data that moves: 64 KiB.</summary>
    public const int BufferSize = 64 * 1024;

    private const int MaxKept = 64;

    private readonly Stack<byte[]> _free = new();

    /// <summary>Bytes in each buffer of this pool.</summary>
    public int Size => size;

    /// <summary>Buffers rented and not yet returned.</summary>
    public int RentedCount { get; private set; }

    /// <summary>Lends a buffer that does not move; its content is whatever was there.</summary>
    public byte[] Rent()
    {
        RentedCount++;
        return _free.TryPop(out byte[]? buffer) ? buffer : GC.AllocateUninitializedArray<byte>(size, pinned: true);
    }

    /// <summary>Lends a buffer of another size, which is not kept.</summary>
    public byte[] Rent(int otherSize)
    {
        RentedCount++;
        return GC.AllocateUninitializedArray<byte>(otherSize, pinned: true);
    }

    /// <summary>Takes a buffer back, when nothing reads or writes it any more.</summary>
    public void Return(byte[] buffer)
    {
        RentedCount--;
        if (_free.Count < mostKept && buffer.Length == size)
        {
            _free.Push(buffer);
        }
    }
}
