using System.Runtime.CompilerServices;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>The memory of a burst is released, although a relay that is idle afterwards allocates nothing that would cause a collection.</summary>
public sealed class BufferPoolTests
{
    [Fact]
    public void TheBuffersOfABurstAreCollected()
    {
        const int Count = 1000;
        const int Kept = 8;
        var pool = new BufferPool(maxKept: Kept);
        List<WeakReference> buffers = RentAndReturn(pool, Count);
        Assert.Equal(0, pool.RentedCount);

        // Those that were still rented at the collection were released after it; one or two may be on this thread's stack.
        Assert.InRange(buffers.Count(buffer => buffer.IsAlive), Kept, (2 * Kept) + 2);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<WeakReference> RentAndReturn(BufferPool pool, int count)
    {
        Stack<byte[]> rented = new(Enumerable.Range(0, count).Select(_ => pool.Rent()));
        List<WeakReference> buffers = [.. rented.Select(buffer => new WeakReference(buffer))];
        while (rented.TryPop(out byte[]? buffer))
            pool.Return(buffer);

        return buffers;
    }
}
