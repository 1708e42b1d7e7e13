using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// What a connection needs until both its pumps run, and not after: one operation after the other, and a deadline. A subclass knows the
/// steps. Comes from a <see cref="SetUpPool{T}"/>, so that a connection leaves no garbage. Loop thread only.
/// </summary>
internal abstract class SetUp : IoTimer, IIoOwner
{
    /// <summary>Bytes of <see cref="Buffer"/>: the most that a preamble may have.</summary>
    protected const int BufferSize = 1024;

    private IoOperation? _operation;
    private byte[]? _buffer;

    internal bool IsRunning => _operation is not null;

    /// <summary>The connection that is being set up.</summary>
    protected Relay Relay { get; private set; } = null!;

    /// <summary>Pinned; allocated by the first use.</summary>
    protected byte[] Buffer => _buffer ??= GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    public void Completed(IoOperation operation)
    {
        Relay relay = Relay;
        _operation = null;
        if (operation is ConnectOperation { Socket: { } target })
        {
            // Also after an abort: the relay closes it.
            relay.Target = target;
        }

        if (relay.IsAborted || operation.Error != IoError.None)
            Failed(operation);
        else
            Advance(operation);

        relay.CloseIfEnded();
    }

    internal void Begin(Relay relay)
    {
        Relay = relay;
        Begin();
    }

    internal void Cancel(IoError reason) => _operation?.Cancel(reason);

    /// <summary>Ends the use by the present connection: stops the deadline and goes back to the pool.</summary>
    internal void Release()
    {
        Relay.Loop.Timers.Stop(this);
        Relay = null!;
        OnReleased();
    }

    protected internal override void OnExpired() => Cancel(IoError.TimedOut);

    /// <summary>The first step.</summary>
    protected abstract void Begin();

    /// <summary>An operation has succeeded: the next step.</summary>
    protected abstract void Advance(IoOperation operation);

    /// <summary>An operation has failed or was cancelled, or the connection is aborted. It ends unless this starts another operation.</summary>
    protected abstract void Failed(IoOperation operation);

    protected abstract void OnReleased();

    /// <summary>Starts the operation of the next step; does nothing once the connection is aborted.</summary>
    protected void Run(IoOperation operation)
    {
        if (!Relay.IsAborted)
        {
            _operation = operation;
            Relay.Loop.Start(operation);
        }
    }

    protected void Run(TransferOperation operation, Memory<byte> buffer)
    {
        operation.Buffer = buffer;
        Run(operation);
    }

    /// <summary>From now on this much time is left; then the running operation ends as timed out.</summary>
    protected void SetDeadline(int milliseconds) => Relay.Loop.Timers.Start(this, milliseconds);
}
