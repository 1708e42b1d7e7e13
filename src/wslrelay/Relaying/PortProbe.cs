using System.Diagnostics;
using System.Net;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Finds out whether a mapping's connections would come through: sets up one, like any other, but for no client, and closes it once the server is reached or it
/// is known why not. Loop thread only.
/// </summary>
internal sealed class PortProbe(PortTable table, PortMapping mapping) : PortRoute(table, mapping), IConnection
{
    private HostSetUp? _setUp;
    private Action? _ended;
    private IoSocket? _target;
    private long _begun;

    public IoSocket? Client => null;

    public IPEndPoint? ClientEndPoint => null;

    IoSocket? IConnection.Target
    {
        get => _target;
        set
        {
            _target = value;
            Connected ??= Stopwatch.GetElapsedTime(_begun);
        }
    }

    public bool IsAborted { get; private set; }

    /// <summary>The endpoint that was tried last.</summary>
    public IoEndpoint Endpoint { get; private set; }

    /// <summary>The time until it was connected; null if it was not.</summary>
    public TimeSpan? Connected { get; private set; }

    /// <summary>The time until it ended.</summary>
    public TimeSpan Total { get; private set; }

    /// <summary>Why it failed; null if it did not.</summary>
    public RelayError? Error { get; private set; }

    /// <summary>The error is the agent's answer.</summary>
    public bool IsAgents { get; private set; }

    /// <summary>Begins, and calls back when it has ended.</summary>
    public void Start(Action ended)
    {
        _ended = ended;
        _begun = Stopwatch.GetTimestamp();
        Endpoint = Target;
        _setUp = Table.SetUps.Rent();
        _setUp.Listener = this;
        _setUp.Begin(this);
        CloseIfEnded();
    }

    public void PumpToTarget()
    {
        // There is no client to read from.
    }

    public void PumpToClient(ChunkMode chunks = ChunkMode.None) => Total = Stopwatch.GetElapsedTime(_begun);

    public override void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error)
    {
        Endpoint = target;
        Error = error;
        IsAgents = _setUp!.HasAnswer;
        Total = Stopwatch.GetElapsedTime(_begun);
    }

    public void Abort(IoError reason = IoError.Cancelled)
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
        if (_ended is null || _setUp is { IsRunning: true })
            return;

        EndSetUp();
        _target?.Close(abort: true);
        Action ended = _ended;
        _ended = null;
        ended();
    }
}
