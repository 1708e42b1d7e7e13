using System.Buffers;
using MessagePack;
using RelayProtocol.Rpc;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// What a connection needs only until both its pumps run: a sequence of operations with a deadline. A subclass defines the
/// steps. Comes from a <see cref="SetUpPool{T}"/>, so that a connection leaves no garbage. Loop thread only.
/// </summary>
internal abstract class SetUp : IoTimer, IIoOwner
{
    /// <summary>Bytes of <see cref="Buffer"/>: the most that a preamble may have.</summary>
    protected const int BufferSize = 1024;

    private IoOperation? _operation;
    private byte[]? _buffer;

    internal bool IsRunning => _operation is not null;

    protected IConnection Relay { get; private set; } = null!;

    /// <summary>Pinned; allocated by the first use.</summary>
    protected byte[] Buffer => _buffer ??= GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    public void Completed(IoOperation operation)
    {
        IConnection relay = Relay;
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

    internal void Begin(IConnection relay)
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

    internal static byte[] Pinned(ReadOnlySpan<byte> bytes)
    {
        byte[] pinned = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(pinned);
        return pinned;
    }

    /// <summary>A value as a message, pinned.</summary>
    internal static byte[] Encode<T>(WireFormat.Writer<T> write, T value)
    {
        ArrayBufferWriter<byte> bytes = new();
        MessagePackWriter writer = new(bytes);
        write(ref writer, value);
        writer.Flush();
        return Pinned(bytes.WrittenSpan);
    }

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

    /// <summary>Sends, by an operation that is made once and kept for the connections to come.</summary>
    protected void Send(ref TransferOperation? operation, IoSocket to, Memory<byte> bytes, IoSocket? attached = null, int spareCount = 0)
    {
        operation ??= Relay.Loop.Port.Send(to, this);
        operation.Handle = to;
        operation.Attached = attached;
        operation.SpareCount = spareCount;
        Run(operation, bytes);
    }

    /// <summary>From now on this much time is left; then the running operation ends as timed out.</summary>
    protected void SetDeadline(int milliseconds) => Relay.Loop.Timers.Start(this, milliseconds);
}

/// <summary>A pool for each loop, each for its loop's thread. It is emptied before its loop collects garbage.</summary>
internal sealed class SetUpPools<T>(IoLoop first, Func<IoLoop, SetUpPool<T>, T> create)
    where T : SetUp
{
    private readonly SetUpPool<T>?[] _pools = new SetUpPool<T>?[first.Group?.Count ?? 1];

    internal SetUpPool<T> Of(IoLoop loop) => _pools[loop.Index] ?? Create(loop);

    private SetUpPool<T> Create(IoLoop loop)
    {
        SetUpPool<T> pool = _pools[loop.Index] = new SetUpPool<T>(own => create(loop, own));
        loop.Garbage.Collecting += pool.Trim;
        return pool;
    }
}

/// <summary>Keeps a few <see cref="SetUp"/>s for the connections to come. Loop thread only.</summary>
internal sealed class SetUpPool<T>(Func<SetUpPool<T>, T> create)
    where T : SetUp
{
    private const int MaxKept = 64;

    private readonly Stack<T> _free = new();

    /// <summary>Set-ups rented and not yet returned.</summary>
    internal int RentedCount { get; private set; }

    /// <summary>Keeps none.</summary>
    internal void Trim()
    {
        _free.Clear();
        _free.TrimExcess();
    }

    internal T Rent()
    {
        RentedCount++;
        return _free.TryPop(out T? setUp) ? setUp : create(this);
    }

    internal void Return(T setUp)
    {
        RentedCount--;
        if (_free.Count < MaxKept)
            _free.Push(setUp);
    }
}
