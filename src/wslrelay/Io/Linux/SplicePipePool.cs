namespace Wslrelay.Io.Linux;

/// <summary>Empty pipes for the pumps that move bulk data now. Keeps a few for reuse. Loop thread only.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SplicePipePool(DescriptorReserve reserve) : IDisposable
{
    private const int MaxKept = 8;

    // After a refusal the next attempt waits, so that not every piece of data costs a failing call.
    private const int RefusedMilliseconds = 1000;

    private readonly Stack<SplicePipe> _free = new();
    private long _refusedUntil;

    /// <summary>Rents an empty pipe; null if none is available, and data has to be copied.</summary>
    internal SplicePipe? TryRent()
    {
        if (_free.TryPop(out SplicePipe? pipe))
            return pipe;

        if (_refusedUntil > Environment.TickCount64)
            return null;

        pipe = SplicePipe.TryCreate();
        if (pipe is not null && !reserve.IsScarce((int)pipe.WriteEnd.DangerousGetHandle()))
            return pipe;

        // The last descriptors are for connections.
        pipe?.Dispose();
        _refusedUntil = Environment.TickCount64 + RefusedMilliseconds;
        return null;
    }

    /// <summary>Returns a pipe; one that still holds bytes, of a broken connection, is closed.</summary>
    internal void Return(SplicePipe pipe, bool isEmpty)
    {
        if (isEmpty && _free.Count < MaxKept)
            _free.Push(pipe);
        else
            pipe.Dispose();
    }

    public void Dispose()
    {
        while (_free.TryPop(out SplicePipe? pipe))
            pipe.Dispose();
    }
}
