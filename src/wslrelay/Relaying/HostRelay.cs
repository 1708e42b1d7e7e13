using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One connection accepted on a host port: connects to the target, greets the agent if there is one, and pumps. The client's bytes follow
/// the greeting without waiting for its answer. Loop thread only.
/// </summary>
internal sealed class HostRelay(PortListener listener, IoSocket client) : Relay(listener.Table.Loop, client)
{
    private GuestGreeting? _greeting;
    private Deadline? _deadline;
    private Failure? _failure;

    // From the start until the target, or its agent, has said yes: within that time everything that goes wrong is a failed connection.
    private bool IsSettingUp => _deadline is not null;

    /// <summary>Begins to connect.</summary>
    public void Start()
    {
        _deadline = new Deadline(this);
        Loop.Timers.Start(_deadline, listener.Table.SetUpTimeout);
        RunToTarget(Loop.Port.Connect(listener.Target, this));
    }

    /// <inheritdoc/>
    protected override void Advance(IoOperation operation)
    {
        if (operation is ConnectOperation connect)
        {
            Target = connect.Socket!;
            Connected();
            return;
        }

        switch (_greeting!.Advance((TransferOperation)operation))
        {
            case GreetingStep.MoreToTarget:
                RunToTarget(_greeting.Next);
                break;
            case GreetingStep.Greeted:
                PumpToTarget(listener.ToGuest);
                RunToClient(_greeting.Next);
                break;
            case GreetingStep.GreetedForGood:
                PumpToTarget(listener.ToGuest);
                Settle();
                break;
            case GreetingStep.MoreToClient:
                RunToClient(_greeting.Next);
                break;
            case GreetingStep.Accepted:
                Settle();
                break;
            default:
                Fail(_greeting.Refusal.Name, _greeting.Refusal.Message);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void OnFailed(IoOperation operation)
    {
        if (operation.Error != IoError.Cancelled)
        {
            Fail(operation.Error.ToErrorCode().Name(), Describe(operation));
        }
        else
        {
            Break();
        }
    }

    /// <inheritdoc/>
    protected override void OnClosed()
    {
        bool failed = IsSettingUp;
        if (failed)
        {
            Failure failure = _failure ?? new Failure("Cancelled", "it was ended before it was set up");
            listener.Table.Log.ConnectionFailed(listener.Mapping, listener.Target, failure.Code, failure.Reason);
            StopSettingUp();
        }
        else if (_failure is { } broke)
        {
            listener.Table.Log.ConnectionBroke(listener.Mapping, broke.Reason);
        }

        listener.Ended(this, failed);
    }

    private void Connected()
    {
        _greeting = listener.Table.Greeter.Begin(Loop.Port, Target!, listener, this);
        if (_greeting is null)
        {
            PumpToTarget(listener.ToGuest);
            Settle();
        }
        else if (!Broke)
        {
            // The agent has a time of its own to answer.
            Loop.Timers.Start(_deadline!, listener.Table.SetUpTimeout);
            RunToTarget(_greeting.Next);
        }
    }

    private void Settle()
    {
        if (!Broke)
        {
            StopSettingUp();
            PumpToClient(listener.ToHost);
        }
    }

    private void StopSettingUp()
    {
        Loop.Timers.Stop(_deadline!);
        _deadline = null;
        _greeting?.Release();
        _greeting = null;
    }

    private void Fail(string code, string reason)
    {
        _failure ??= new Failure(code, reason);
        Break();
    }

    private string Describe(IoOperation operation) => operation.Error switch
    {
        IoError.ConnectionRefused => "nothing listens there",
        IoError.Reset => IsSettingUp ? "the connection was reset while it was set up" : "reset by a peer",
        IoError.TimedOut => IsSettingUp ? $"no answer within {listener.Table.SetUpTimeout / 1000.0:0.#} seconds" : "a peer is silent",
        IoError.HostUnreachable => "there is no way to it",
        IoError.TooManyOpenFiles => "the process is out of handles",
        _ => $"{operation.Error} (system error {operation.NativeError})",
    };

    private sealed record Failure(string Code, string Reason);

    private sealed class Deadline(HostRelay relay) : IoTimer
    {
        protected internal override void OnExpired() => relay.Abort(IoError.TimedOut);
    }
}
