using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Connections to the agent over which it has passed a server's socket, and takes the next preamble (protocol, section 3, <c>"keep"</c>). No operation waits for
/// them. Those that have been idle for a whole period are closed. Loop thread only.
/// </summary>
internal sealed class KeptConnections(IoLoop loop) : IoTimer
{
    private const int MaxIdle = 64;
    private const int PeriodMilliseconds = 1000;

    // The one that was used last is taken first, so that those at the front are idle for longest.
    private readonly List<IoSocket> _idle = [];

    // The least that was idle in the present period.
    private int _unused;

    /// <summary>One that is as it was left; null where there is none.</summary>
    internal IoSocket? Take()
    {
        while (_idle.Count > 0)
        {
            IoSocket socket = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            _unused = Math.Min(_unused, _idle.Count);
            if (socket.IsQuiet)
                return socket;

            // The agent has ended it, or has said what it was not asked for.
            socket.Close(abort: false);
        }

        return null;
    }

    internal void Put(IoSocket socket)
    {
        if (_idle.Count == MaxIdle || !loop.Port.CanKeep(socket))
        {
            socket.Close(abort: false);
            return;
        }

        _idle.Add(socket);
        if (Index < 0)
        {
            _unused = 0;
            loop.Timers.Start(this, PeriodMilliseconds);
        }
    }

    protected internal override void OnExpired()
    {
        for (int i = 0; i < _unused; i++)
            _idle[i].Close(abort: false);

        _idle.RemoveRange(0, _unused);
        _unused = _idle.Count;
        if (_unused > 0)
            loop.Timers.Start(this, PeriodMilliseconds);
    }
}
