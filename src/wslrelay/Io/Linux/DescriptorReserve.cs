using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// One descriptor kept back, so that a connection that was accepted always finds a second one for its target. While it is spent, or
/// the process is out of descriptors, listeners are parked: out of the epoll, with their connections waiting in the kernel's
/// backlog, until something is closed. Loop thread only.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class DescriptorReserve : IDisposable
{
    // Numbers are given from the lowest on: within so many of the limit, connections are taken one at a time.
    private const int ScarceMargin = 256;

    private readonly Queue<Accept> _parked = new();
    private readonly long _scarceFrom;
    private EpollHandle? _spare;
    private bool _isReserved;

    internal DescriptorReserve()
    {
        _scarceFrom = RaiseLimit() - ScarceMargin;
        Replenish(0);
    }

    /// <summary>
    /// Whether a second descriptor is there for the next connection. Near the limit the one that was accepted last has to take its own first.
    /// </summary>
    internal bool CanAccept => HasSpare && !_isReserved;

    /// <summary>Whether the descriptor is kept back, not spent.</summary>
    internal bool HasSpare => _spare is not null;

    /// <summary>Whether the next descriptor that is closed is waited for.</summary>
    internal bool NeedsDescriptor => !HasSpare || HasParked;

    /// <summary>Whether a listener waits.</summary>
    internal bool HasParked => _parked.Count > 0;

    /// <summary>A connection was accepted: near the limit the second descriptor is promised to it until the end of the turn.</summary>
    internal void OnAccepted(int descriptor) => _isReserved = descriptor >= _scarceFrom;

    /// <summary>What was promised has been taken.</summary>
    internal void EndTurn() => _isReserved = false;

    /// <summary>Gives up the descriptor; true if that made room for one.</summary>
    internal bool CloseSpare()
    {
        bool closed = HasSpare;
        _spare?.Dispose();
        _spare = null;
        return closed;
    }

    /// <summary>
    /// So many descriptors were closed: takes one back, if there is one to be had, and lets as many listeners go on. Those that
    /// find nothing left park again, and nothing happens until the next close: no spin.
    /// </summary>
    internal void Replenish(int closed)
    {
        if (!HasSpare)
        {
            int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC);
            _spare = descriptor < 0 ? null : new EpollHandle(null!, descriptor, isSocket: false);
        }

        while (HasSpare && closed > 0 && _parked.TryDequeue(out Accept? accept))
        {
            if (accept.TryResume())
            {
                closed--;
            }
        }
    }

    /// <summary>Keeps a listener until there is room.</summary>
    internal void Park(Accept accept) => _parked.Enqueue(accept);

    /// <inheritdoc/>
    public void Dispose() => CloseSpare();

    // Raises the soft limit of open descriptors to the hard one (getrlimit(2)), and returns it.
    private static long RaiseLimit()
    {
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out Libc.RLimit limit) != 0)
        {
            return long.MaxValue;
        }

        if (limit.Current < limit.Maximum)
        {
            limit.Current = limit.Maximum;
            _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, in limit);
        }

        return (long)Math.Min(limit.Maximum, long.MaxValue);
    }
}
