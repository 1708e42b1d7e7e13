using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One accepted connection and the way to its target (WSL: <c>BidirectionalRelay</c>): connects, then pumps both directions, each for as long as it
/// likes. Closes both sockets after both pumps have ended: with an end where both ended cleanly, with a reset otherwise. Loop thread only.
/// </summary>
internal sealed class Relay(PortListener listener, IoSocket client) : IIoOwner
{
    private IoOperation? _toTarget;
    private IoOperation? _toClient;
    private IoSocket? _target;
    private Deadline? _deadline;
    private bool _broke;

    /// <summary>The neighbours in the listener's list of connections.</summary>
    internal Relay? Previous { get; set; }

    /// <inheritdoc cref="Previous"/>
    internal Relay? Next { get; set; }

    private IoLoop Loop => listener.Table.Loop;

    /// <summary>Starts to connect.</summary>
    public void Start()
    {
        if (listener.LoopsBack)
        {
            Fail(RelayErrorCode.ConnectionRefused, "the target is a port of this relay itself");
            return;
        }

        _toTarget = Loop.Port.Connect(listener.Target, this);
        _deadline = new Deadline(_toTarget);
        Loop.Timers.Start(_deadline, listener.Table.ConnectTimeout);
        Loop.Start(_toTarget);
    }

    /// <summary>Ends it with a reset on both sides; the listener hears of it when all of it is closed.</summary>
    public void Abort()
    {
        _toTarget?.Cancel();
        _toClient?.Cancel();
    }

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        if (operation is ConnectOperation connect)
        {
            Connected(connect);
            return;
        }

        bool isToTarget = operation == _toTarget;
        _toTarget = isToTarget ? null : _toTarget;
        _toClient = isToTarget ? _toClient : null;
        if (operation.Error != IoError.None)
        {
            _broke = true;
            listener.Table.Log.ConnectionBroke(listener.Mapping, operation.Error, operation.NativeError);
            Abort();
        }

        if (_toTarget is null && _toClient is null)
        {
            _target!.Close(_broke);
            client.Close(_broke);
            listener.Ended(this, failed: false);
        }
    }

    private void Connected(ConnectOperation connect)
    {
        _toTarget = null;
        Loop.Timers.Stop(_deadline!);
        _deadline = null;
        if (connect.Error != IoError.None)
        {
            Fail(connect.Error.ToErrorCode(), Describe(connect));
            return;
        }

        _target = connect.Socket!;
        _toTarget = Loop.Port.Pump(client, _target, listener.ToGuest, this);
        _toClient = Loop.Port.Pump(_target, client, listener.ToHost, this);
        Loop.Start(_toTarget);
        Loop.Start(_toClient);
    }

    private void Fail(RelayErrorCode code, string reason)
    {
        client.Close(abort: true);
        listener.Table.Log.ConnectionFailed(listener.Mapping, listener.Target, code, reason);
        listener.Ended(this, failed: true);
    }

    private string Describe(ConnectOperation connect) => connect.Error switch
    {
        IoError.ConnectionRefused => "nothing listens there",
        IoError.TimedOut => $"no answer within {listener.Table.ConnectTimeout / 1000.0:0.#} seconds",
        IoError.HostUnreachable => "there is no way to it",
        IoError.TooManyOpenFiles => "the process is out of handles",
        IoError.Cancelled => "the relay ends",
        _ => $"{connect.Error} (system error {connect.NativeError})",
    };

    private sealed class Deadline(IoOperation operation) : IoTimer
    {
        protected internal override void OnExpired() => operation.Cancel(IoError.TimedOut);
    }
}
