using System.Net;
using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>Handles that are waited for and to which nothing happens: the odd ones signals, the even ones listening sockets. Loop thread only.</summary>
internal sealed class IdleHandles(IoLoop loop, Action<string> failed) : IAcceptOwner, IDisposable
{
    private readonly List<BenchSignal> _signals = [];
    private readonly List<IoSocket> _listeners = [];

    /// <summary>Opens so many and starts waiting for them.</summary>
    /// <exception cref="IoException">The system has no more.</exception>
    internal void Open(int count, IdleKind kind)
    {
        for (int i = 0; i < count; i++)
        {
            if (kind == IdleKind.Signals || (kind == IdleKind.Both && i % 2 == 0))
            {
                BenchSignal signal = BenchSignal.Create();
                _signals.Add(signal);
                loop.Start(loop.Port.Watch(signal.Handle, this));
            }
            else
            {
                IoSocket listener = loop.Port.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
                _listeners.Add(listener);
                loop.Start(loop.Port.Accept(listener, this));
            }
        }
    }

    /// <inheritdoc/>
    public void Accepted(IoSocket socket) => socket.Close(abort: true);

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        if (operation.Error != IoError.Cancelled)
            failed($"an idle handle: {operation.Error} ({operation.NativeError})");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IoSocket listener in _listeners)
            listener.Close(abort: false);

        foreach (BenchSignal signal in _signals)
            signal.Dispose();
    }
}
