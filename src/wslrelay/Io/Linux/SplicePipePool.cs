using System.Runtime.Versioning;

namespace Wslrelay.Io.Linux;

/// <summary>Empty pipes for whoever has bulk to move right now. Keeps a few, so that a burst does not stay. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SplicePipePool : IDisposable
{
    private const int MaxKept = 8;

    // After the system refused one it is not asked again for every piece of data.
    private const int RefusedMilliseconds = 1000;

    private readonly Stack<SplicePipe> _free = new();
    private long _refusedUntil;

    /// <summary>Pipes rented and not yet returned.</summary>
    internal int RentedCount { get; private set; }

    /// <summary>Lends an empty pipe, or returns null: then copying does.</summary>
    internal SplicePipe? TryRent()
    {
        if (!_free.TryPop(out SplicePipe? pipe))
        {
            if (_refusedUntil > Environment.TickCount64)
            {
                return null;
            }

            pipe = SplicePipe.TryCreate();
            if (pipe is null)
            {
                _refusedUntil = Environment.TickCount64 + RefusedMilliseconds;
                return null;
            }
        }

        RentedCount++;
        return pipe;
    }

    /// <summary>Takes a pipe back; one that still holds bytes, of a connection that broke, is closed.</summary>
    internal void Return(SplicePipe pipe, bool isEmpty)
    {
        RentedCount--;
        if (isEmpty && _free.Count < MaxKept)
        {
            _free.Push(pipe);
        }
        else
        {
            pipe.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_free.TryPop(out SplicePipe? pipe))
        {
            pipe.Dispose();
        }
    }
}
