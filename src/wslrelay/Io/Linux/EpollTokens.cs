using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Gives each registered descriptor a token that is never used again: its place in a table and the place's generation. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollTokens
{
    // A table that grew by copying would leave its smaller selves behind, which nobody collects as long as nothing else is allocated.
    private const int Shift = 8;
    private const int Size = 1 << Shift;

    private readonly Stack<int> _free = new();
    private readonly List<Entry[]> _pieces = [];
    private int _used;

    /// <summary>Enters a handle. The token is never 0.</summary>
    internal ulong Add(EpollHandle handle)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _pieces.Count * Size)
            {
                _pieces.Add(new Entry[Size]);
            }

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

    /// <summary>Forgets a token: events that the kernel still has for it are stale.</summary>
    internal void Remove(ulong token)
    {
        int index = (int)(uint)token;
        At(index).Handle = null;
        _free.Push(index);
    }

    private ref Entry At(int index) => ref _pieces[index >> Shift][index & (Size - 1)];

    private struct Entry
    {
        internal EpollHandle? Handle;
        internal uint Generation;
    }
}
