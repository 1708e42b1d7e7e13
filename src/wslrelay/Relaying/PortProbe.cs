using System.Diagnostics;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>Finds out whether a mapping's connections would come through: connects, and closes as soon as the server is reached or it is known why not. Loop thread only.</summary>
internal sealed class PortProbe(PortTable table, PortMapping mapping) : OwnConnection(table, mapping)
{
    private Action? _ended;
    private long _begun;

    /// <summary>The endpoint that was tried last.</summary>
    public IoEndpoint Endpoint { get; private set; }

    /// <summary>The time until it was connected; null if it was not.</summary>
    public TimeSpan? ConnectTime { get; private set; }

    /// <summary>The time until it ended.</summary>
    public TimeSpan TotalTime { get; private set; }

    /// <summary>Why it failed; null if it did not.</summary>
    public RelayError? Error { get; private set; }

    /// <summary>The error is the agent's answer.</summary>
    public bool IsAnswer { get; private set; }

    /// <summary>Begins, and calls back when it has ended.</summary>
    public void Start(Action ended)
    {
        _ended = ended;
        _begun = Stopwatch.GetTimestamp();
        Endpoint = Target;
        Open();
    }

    public override void PumpToClient(ChunkMode chunks = ChunkMode.None) => TotalTime = Stopwatch.GetElapsedTime(_begun);

    public override void ConnectionFailed(IClient client, in IoEndpoint target, RelayError error)
    {
        Endpoint = target;
        Error = error;
        IsAnswer = HasAnswer;
        TotalTime = Stopwatch.GetElapsedTime(_begun);
    }

    protected override void Connected(IoSocket socket) => ConnectTime ??= Stopwatch.GetElapsedTime(_begun);

    protected override void Closed() => _ended!();
}
