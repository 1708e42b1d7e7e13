using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>A connection to the target that the relay makes for itself: set up like a client's, but for no client. Loop thread only.</summary>
internal abstract class OwnConnection(PortTable table, PortMapping mapping) : PortRoute(table, mapping), IConnection
{
    private HostSetUp? _setUp;
    private IoSocket? _socket;

    public IoSocket? Client => null;

    public IPEndPoint? ClientEndPoint => null;

    IoSocket? IConnection.Target
    {
        get => _socket;
        set
        {
            _socket = value;
            if (value is not null)
                Connected(value);
        }
    }

    public bool IsAborted { get; private set; }

    /// <summary>From its beginning until all of it is closed.</summary>
    protected bool IsOpen { get; private set; }

    /// <summary>Of a failure: it is the agent's answer.</summary>
    protected bool HasAnswer => _setUp!.HasAnswer;

    /// <summary>Whether it goes on behind its set-up.</summary>
    protected virtual bool IsRunning => false;

    public void PumpToTarget()
    {
        // There is no client to read from.
    }

    public abstract void PumpToClient(ChunkMode chunks = ChunkMode.None);

    public virtual void Abort(IoError reason = IoError.Cancelled)
    {
        IsAborted = true;
        _setUp?.Cancel(reason);
    }

    public void EndSetUp()
    {
        _setUp?.Release();
        _setUp = null;
    }

    public void CloseIfEnded()
    {
        if (!IsOpen || IsRunning || _setUp is { IsRunning: true })
            return;

        EndSetUp();
        _socket?.Close(abort: true);
        _socket = null;
        IsOpen = false;
        Closed();
    }

    /// <summary>Connects, also once more after it has been closed.</summary>
    protected void Open()
    {
        IsOpen = true;
        IsAborted = false;
        _setUp = Table.SetUps.Rent();
        _setUp.Listener = this;
        _setUp.Begin(this);
        CloseIfEnded();
    }

    /// <summary>The target is connected; nothing has been sent.</summary>
    protected abstract void Connected(IoSocket socket);

    /// <summary>It has ended, and all of it is closed.</summary>
    protected abstract void Closed();
}
