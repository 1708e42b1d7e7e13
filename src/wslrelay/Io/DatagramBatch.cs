namespace Wslrelay.Io;

/// <summary>
/// Datagrams that were received together, in order. Their memory belongs to who received them, and is valid only while they are handed over. Loop
/// thread only.
/// </summary>
internal sealed unsafe class DatagramBatch
{
    internal const int Capacity = 64;

    private readonly Entry[] _items = new Entry[Capacity];

    internal int Count { get; private set; }

    internal ref readonly Entry this[int index] => ref _items[index];

    internal void Clear() => Count = 0;

    /// <param name="memory">Does not move until the batch has been handed over.</param>
    /// <param name="size">The bytes there.</param>
    /// <param name="segmentSize">The size of each datagram but the last where there are several behind each other; 0: it is one.</param>
    /// <param name="client">The sender; the default where there is only one.</param>
    /// <param name="local">The address that it was sent to; the default where there is only one.</param>
    internal void Add(byte* memory, int size, int segmentSize = 0, in InternetAddress client = default, in InternetAddress local = default) =>
        _items[Count++] = new Entry(memory, size, segmentSize > 0 && segmentSize < size ? segmentSize : size, client, local);

    /// <summary>How many from <paramref name="first"/> on are of the same sender, to the same address.</summary>
    internal int RunLength(int first)
    {
        int end = first + 1;
        while (end < Count && _items[end].Client.Equals(_items[first].Client) && _items[end].Local.Equals(_items[first].Local))
            end++;

        return end - first;
    }

    /// <summary>One datagram, or several of one size behind each other, of which the last may be shorter, as the kernel hands them over (udp(7), UDP_GRO).</summary>
    internal readonly struct Entry(byte* memory, int size, int segmentSize, in InternetAddress client, in InternetAddress local)
    {
        internal readonly InternetAddress Client = client;
        internal readonly InternetAddress Local = local;

        internal byte* Memory => memory;

        internal int Size => size;

        internal int SegmentSize => segmentSize;

        internal int SegmentCount => size <= segmentSize ? 1 : (size + segmentSize - 1) / segmentSize;

        /// <summary>The bytes of one of its datagrams.</summary>
        internal ReadOnlySpan<byte> Segment(int index)
        {
            int start = index * segmentSize;
            return new ReadOnlySpan<byte>(memory + start, Math.Min(segmentSize, size - start));
        }
    }
}

/// <summary>What became of datagrams that were to be sent: some may have found no room.</summary>
/// <param name="Datagrams">Those that the kernel has taken.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Dropped">Those that it has not.</param>
/// <param name="Error">Of a connected socket: the peer's system reports that it cannot be reached, or that nothing listens there.</param>
/// <param name="NativeError">The system's own number of it.</param>
internal record struct DatagramsSent(int Datagrams, long Bytes, int Dropped, IoError Error = IoError.None, int NativeError = 0);
