using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Two sockets and two lanes, one for each direction (WSL: <c>BidirectionalRelay</c>). A lane runs one operation after the other: what sets the
/// connection up, then its pump, which goes on for as long as it likes. When both lanes have ended, both sockets are closed: with an end where
/// all went well, with a reset otherwise. Loop thread only.
/// </summary>
internal abstract class Relay(IoSocket client) : IIoOwner
{
    private IoOperation? _toTarget;
    private IoOperation? _toClient;

    /// <summary>The neighbours in the owner's list of connections.</summary>
    internal Relay? Previous { get; set; }

    /// <inheritdoc cref="Previous"/>
    internal Relay? Next { get; set; }

    /// <summary>The loop that owns it.</summary>
    protected abstract IoLoop Loop { get; }

    /// <summary>The socket that was accepted.</summary>
    protected IoSocket Client { get; } = client;

    /// <summary>The socket that was connected; null until then.</summary>
    protected IoSocket? Target { get; set; }

    /// <summary>Something went wrong: both sides get a reset.</summary>
    protected bool Broke { get; private set; }

    /// <summary>Ends it with a reset on both sides; its owner hears of it when all of it is closed.</summary>
    public void Abort(IoError reason = IoError.Cancelled)
    {
        _toTarget?.Cancel(reason);
        _toClient?.Cancel(reason);
    }

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        if (operation == _toTarget)
        {
            _toTarget = null;
        }
        else
        {
            _toClient = null;
        }

        if (operation.Error != IoError.None)
        {
            OnFailed(operation);
        }
        else if (operation is not PumpOperation)
        {
            // Also after a break: what was made must be known to be closed.
            Advance(operation);
        }

        if (_toTarget is null && _toClient is null)
        {
            Target?.Close(Broke);
            Client.Close(Broke);
            OnClosed();
        }
    }

    /// <summary>Pumps from the client to the target from now on.</summary>
    protected void PumpToTarget(ByteCounter counter) => RunToTarget(Loop.Port.Pump(Client, Target!, counter, this));

    /// <summary>Pumps from the target to the client from now on.</summary>
    protected void PumpToClient(ByteCounter counter) => RunToClient(Loop.Port.Pump(Target!, Client, counter, this));

    /// <summary>Gives up: what runs is cancelled, and both sides get a reset.</summary>
    protected void Break()
    {
        Broke = true;
        Abort();
    }

    /// <summary>Starts the next operation of the lane to the target. Does nothing once the connection broke.</summary>
    protected void RunToTarget(IoOperation operation)
    {
        if (!Broke)
        {
            _toTarget = operation;
            Loop.Start(operation);
        }
    }

    /// <summary>Starts the next operation of the lane to the client. Does nothing once the connection broke.</summary>
    protected void RunToClient(IoOperation operation)
    {
        if (!Broke)
        {
            _toClient = operation;
            Loop.Start(operation);
        }
    }

    /// <summary>An operation of the set-up has ended well: goes on from there.</summary>
    protected abstract void Advance(IoOperation operation);

    /// <summary>An operation has failed, or was cancelled: calls <see cref="Break"/>, unless it knows better.</summary>
    protected abstract void OnFailed(IoOperation operation);

    /// <summary>Both sockets are closed.</summary>
    protected abstract void OnClosed();
}
