using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Gives each registered descriptor a token that is never used again: its place in a table and the place's generation. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollTokens
{
    private readonly Stack<int> _free = new();
    private Entry[] _entries = new Entry[64];
    private int _used;

    /// <summary>Enters a handle. The token is never 0.</summary>
    internal ulong Add(EpollHandle handle)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _entries.Length)
            {
                Array.Resize(ref _entries, _used * 2);
            }

            index = _used++;
        }

        ref Entry entry = ref _entries[index];
        entry.Handle = handle;
        entry.Generation++;
        return ((ulong)entry.Generation << 32) | (uint)index;
    }

    /// <summary>The handle of a token, or null if it has been removed.</summary>
    internal EpollHandle? Find(ulong token)
    {
        ref Entry entry = ref _entries[(int)(uint)token];
        return entry.Generation == token >> 32 ? entry.Handle : null;
    }

    /// <summary>Forgets a token: events that the kernel still has for it are stale.</summary>
    internal void Remove(ulong token)
    {
        int index = (int)(uint)token;
        _entries[index].Handle = null;
        _free.Push(index);
    }

    private struct Entry
    {
        internal EpollHandle? Handle;
        internal uint Generation;
    }
}
