namespace Wslrelay.Io;

/// <summary>Buffers on the pinned heap, rented only while data is in flight. Gives the memory of a burst back to the system. Loop thread only.</summary>
internal sealed class BufferPool(int size = BufferPool.BufferSize, int maxKept = BufferPool.MaxKept)
{
    public const int BufferSize = 64 * 1024;

    private const int MaxKept = 64;
    private const long CollectThreshold = 32 << 20;

    private readonly Stack<byte[]> _free = new();
    private long _droppedBytes;

    public int RentedCount { get; private set; }

    /// <summary>A buffer of this pool's size, pinned for life; its content is undefined.</summary>
    public byte[] Rent()
    {
        RentedCount++;
        return _free.TryPop(out byte[]? buffer) ? buffer : GC.AllocateUninitializedArray<byte>(size, pinned: true);
    }

    /// <summary>A buffer of another size, which is not reused.</summary>
    public byte[] Rent(int otherSize)
    {
        RentedCount++;
        return GC.AllocateUninitializedArray<byte>(otherSize, pinned: true);
    }

    /// <summary>Keeps none of those that are not rented.</summary>
    public void Trim()
    {
        _free.Clear();
        _free.TrimExcess();
    }

    /// <summary>Returns a buffer that neither this process nor the kernel reads or writes any more.</summary>
    public void Return(byte[] buffer)
    {
        RentedCount--;
        if (_free.Count < maxKept && buffer.Length == size)
        {
            _free.Push(buffer);
            return;
        }

        _droppedBytes += buffer.Length;
        if (_droppedBytes >= CollectThreshold && RentedCount <= maxKept)
        {
            // An idle relay allocates nothing, so no collection would come by itself, and the memory of the burst would stay.
            _droppedBytes = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        }
    }
}
