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
    private readonly Queue<Accept> _parked = new();
    private EpollHandle? _spare;

    internal DescriptorReserve() => Replenish(0);

    /// <summary>Whether another connection may be accepted.</summary>
    internal bool IsHeld => _spare is not null;

    /// <summary>Whether a listener waits.</summary>
    internal bool HasParked => _parked.Count > 0;

    /// <summary>Raises the soft limit of open descriptors to the hard one (getrlimit(2)).</summary>
    internal static void RaiseLimit()
    {
        if (Libc.getrlimit(Libc.RLIMIT_NOFILE, out Libc.RLimit limit) == 0 && limit.Current < limit.Maximum)
        {
            limit.Current = limit.Maximum;
            _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, in limit);
        }
    }

    /// <summary>Gives up the descriptor; true if that made room for one.</summary>
    internal bool Spend()
    {
        bool held = IsHeld;
        _spare?.Dispose();
        _spare = null;
        return held;
    }

    /// <summary>
    /// So many descriptors were closed: takes one back, if there is one to be had, and lets as many listeners go on. Those that
    /// find nothing left park again, and nothing happens until the next close: no spin.
    /// </summary>
    internal void Replenish(int closed)
    {
        if (!IsHeld)
        {
            int descriptor = Libc.eventfd(0, Libc.EFD_CLOEXEC);
            _spare = descriptor < 0 ? null : new EpollHandle(null!, descriptor, isSocket: false);
        }

        while (IsHeld && closed > 0 && _parked.TryDequeue(out Accept? accept))
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
    public void Dispose() => Spend();
}
