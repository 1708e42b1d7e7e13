namespace Wslrelay.Io;

/// <summary>Receives the connections of a listener, on the loop thread.</summary>
internal interface IAcceptOwner : IIoOwner
{
    /// <summary>The loop that is to have the next connection; null for this one.</summary>
    IoLoop? LoopOfNext => null;

    /// <summary>Called for each connection, after the accept was armed again. The owner closes the socket.</summary>
    void Accepted(IoSocket socket);

    /// <summary>In place of <see cref="Accepted"/>, for another loop: the socket belongs to no port before <see cref="IoPort.Adopt"/> there.</summary>
    void AcceptedFor(IoLoop loop, IoSocket socket) => throw new NotSupportedException();
}

/// <summary>Accepts connections until it is cancelled; each goes to <see cref="IAcceptOwner.Accepted"/>.</summary>
internal abstract class AcceptOperation(IAcceptOwner owner) : IoOperation(owner)
{
    protected IAcceptOwner Acceptor { get; } = owner;

    /// <summary>Whether its sockets are to be adopted (<see cref="IoPort.Adopt"/>), once anything is wanted of them: what comes before would wake the loop for nothing.</summary>
    public bool IsToAdopt { get; set; }
}

/// <summary>Connects a new socket to an endpoint. Reusable: set the endpoint, start.</summary>
internal abstract class ConnectOperation(in IoEndpoint endpoint, IIoOwner owner) : IoOperation(owner)
{
    public IoEndpoint Endpoint { get; set; } = endpoint;

    /// <summary>Whether it is for a flow of datagrams: where handles are scarce, connections need them more.</summary>
    public bool IsOfFlow { get; set; }

    /// <summary>
    /// Whether its socket is meant for another process: what waits for it here would only have to be told that it need not, unless <see cref="IoPort.Adopt"/> is called.
    /// </summary>
    public bool IsToPass { get; set; }

    /// <summary>A TCP socket that is connected in place of a new one. Of the operation until it completes, which closes it if it fails; null from then on.</summary>
    public IoSocket? Unconnected { get; set; }

    /// <summary>The connected socket, which the owner closes; null unless the operation succeeded.</summary>
    public IoSocket? Socket { get => Error == IoError.None ? field : null; protected set; }
}

/// <summary>Receives into, or sends from, memory. Reusable: set the memory, and the handle where it is another, start.</summary>
internal abstract class TransferOperation(IoHandle handle, IIoOwner owner) : IoOperation(owner)
{
    /// <summary>What it receives from, or sends to.</summary>
    public IoHandle Handle { get; set; } = handle;

    /// <summary>
    /// A send completes when the kernel has taken all of it; a receive completes with the first bytes. Must be native, on the pinned heap, or
    /// kept pinned by its owner until completion.
    /// </summary>
    public Memory<byte> Buffer { get; set; }

    /// <summary>0 after a receive without error is the end of the stream.</summary>
    public int BytesTransferred { get; protected set; }

    /// <summary>A connected socket that goes with the first byte of a send, over a Unix socket on Linux; both stay open here.</summary>
    public IoSocket? Attached { get; set; }

    /// <summary>How many unconnected sockets a send is to make and attach behind <see cref="Attached"/>, of its family and network. There may be fewer; none stays open here.</summary>
    public int SpareCount { get; set; }

    /// <summary>Takes the unconnected sockets that a receive finds behind the connected one; null: they are closed.</summary>
    public Queue<IoSocket>? Spares { get; set; }

    /// <summary>The socket that came with the bytes (<see cref="IoPort.ReceiveSocket"/>), from now on the caller's, and to be adopted; null where none came.</summary>
    public virtual IoSocket? TakeAttached() => null;

    /// <summary>Closes what came with the bytes and was not taken. Until then it is held, however many receives follow.</summary>
    public virtual void DropAttached()
    {
    }
}

/// <summary>A sum of bytes moved, written by the loop thread; any thread may read it.</summary>
internal sealed class ByteCounter
{
    private ulong _value;

    public ulong Value => Volatile.Read(ref _value);

    public void Add(int bytes) => Volatile.Write(ref _value, _value + (uint)bytes);
}

/// <summary>
/// Relays one direction: all bytes from one socket to the other, then the end of the stream. Completes without error once the end was
/// passed on, with <see cref="IoError.ReceiverBroke"/> if the receiving side failed while the other direction still delivers what that side had
/// sent, or with <see cref="IoError.Reset"/> or another error if both sides are to be reset now. Closes nothing.
/// </summary>
internal abstract class PumpOperation(IIoOwner owner, ByteCounter counter) : IoOperation(owner)
{
    /// <summary>Counts the bytes taken by the receiving socket's kernel.</summary>
    protected ByteCounter Counter { get; } = counter;

    /// <summary>It has passed the end on, and only watches for a reset until the other direction has ended too.</summary>
    public virtual bool HasPassedOnEnd => false;
}

/// <summary>Receives the datagrams of a socket, on the loop thread.</summary>
internal interface IDatagramOwner : IIoOwner
{
    /// <summary>Called for each batch, in order, until the operation has completed. Its memory is valid only during the call.</summary>
    void Received(DatagramBatch batch);
}
