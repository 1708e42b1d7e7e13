namespace Wslrelay.Io.Linux;

/// <summary>Assigns each registered descriptor a unique token: an index into a table and the generation of that entry. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollTokens
{
    // A table that grows in chunks: an array that is copied would leave garbage that is not collected while nothing else is allocated.
    private const int ChunkShift = 8;
    private const int ChunkSize = 1 << ChunkShift;

    private readonly Stack<int> _free = new();
    private readonly List<Entry[]> _chunks = [];
    private int _used;

    /// <summary>Adds a handle and returns its token, which is never 0.</summary>
    internal ulong Add(EpollHandle handle)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _chunks.Count * ChunkSize)
                _chunks.Add(new Entry[ChunkSize]);

            index = _used++;
        }

        ref Entry entry = ref At(index);
        entry.Handle = handle;
        entry.Generation++;
        return ((ulong)entry.Generation << 32) | (uint)index;
    }

    /// <summary>The handle of a token, or null if it has been removed.</summary>
    internal EpollHandle? Find(ulong token)
    {
        ref Entry entry = ref At((int)(uint)token);
        return entry.Generation == token >> 32 ? entry.Handle : null;
    }

    /// <summary>Removes a token: its remaining events are stale.</summary>
    internal void Remove(ulong token)
    {
        int index = (int)(uint)token;
        At(index).Handle = null;
        _free.Push(index);
    }

    private ref Entry At(int index) => ref _chunks[index >> ChunkShift][index & (ChunkSize - 1)];

    private struct Entry
    {
        internal EpollHandle? Handle;
        internal uint Generation;
    }
}
