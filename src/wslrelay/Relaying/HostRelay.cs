using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// One connection accepted on a host port: connects to the target, greets the agent if there is one, and pumps. The client's bytes follow
/// the greeting without waiting for its answer. Loop thread only.
/// </summary>
internal sealed class HostRelay(PortListener listener, IoSocket client) : Relay(client)
{
    private HostSetUp? _setUp;
    private Failure? _failure;

    // From the start until the target, or its agent, has said yes: within that time everything that goes wrong is a failed connection.
    private bool IsSettingUp => _setUp is not null;

    /// <inheritdoc/>
    protected override IoLoop Loop => listener.Table.Loop;

    /// <summary>Begins to connect.</summary>
    public void Start()
    {
        _setUp = listener.Table.SetUps.Rent(this, listener.Target);
        Loop.Timers.Start(_setUp, listener.Table.SetUpTimeout);
        RunToTarget(_setUp.Connect);
    }

    /// <inheritdoc/>
    protected override void Advance(IoOperation operation)
    {
        if (operation is ConnectOperation connect)
        {
            Target = connect.Socket!;
            Connected(_setUp!);
            return;
        }

        GuestGreeting greeting = _setUp!.Greeting!;
        switch (greeting.Advance((TransferOperation)operation))
        {
            case GreetingStep.MoreToTarget:
                RunToTarget(greeting.Next);
                break;
            case GreetingStep.Greeted:
                PumpToTarget(listener.ToGuest);
                RunToClient(greeting.Next);
                break;
            case GreetingStep.GreetedForGood:
                PumpToTarget(listener.ToGuest);
                Settle();
                break;
            case GreetingStep.MoreToClient:
                RunToClient(greeting.Next);
                break;
            case GreetingStep.Accepted:
                Settle();
                break;
            default:
                Fail(greeting.Refusal.Name, greeting.Refusal.Message);
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

    private void Connected(HostSetUp setUp)
    {
        setUp.Greeting = listener.Table.Greeter.Begin(Loop.Port, Target!, listener, this);
        if (setUp.Greeting is null)
        {
            // In this order: what a server said before it broke needs somebody to carry it.
            Settle();
            PumpToTarget(listener.ToGuest);
        }
        else if (!Broke)
        {
            // The agent has a time of its own to answer.
            Loop.Timers.Start(setUp, listener.Table.SetUpTimeout);
            RunToTarget(setUp.Greeting.Next);
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
        Loop.Timers.Stop(_setUp!);
        listener.Table.SetUps.Return(_setUp!);
        _setUp = null;
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
}
