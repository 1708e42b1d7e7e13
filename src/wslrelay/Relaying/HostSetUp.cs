using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// What a connection needs until it is set up, and no longer: the connect, the deadline, the agent's greeting. Loop thread only.
/// </summary>
internal sealed class HostSetUp : IoTimer, IIoOwner
{
    internal HostSetUp(IoPort port, in IoEndpoint target) => Connect = port.Connect(target, this);

    /// <summary>The connection that it serves now; null while it is in the pool.</summary>
    internal HostRelay? Relay { get; set; }

    /// <summary>The connect to the target.</summary>
    internal ConnectOperation Connect { get; }

    /// <summary>What is said to an agent; null where there is none, and before the connect.</summary>
    internal GuestGreeting? Greeting { get; set; }

    /// <inheritdoc/>
    public void Completed(IoOperation operation) => Relay!.Completed(operation);

    /// <inheritdoc/>
    protected internal override void OnExpired() => Relay!.Abort(IoError.TimedOut);
}
