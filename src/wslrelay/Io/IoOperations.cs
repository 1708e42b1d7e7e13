namespace Wslrelay.Io;

/// <summary>Accepts connections until it is cancelled; each goes to <see cref="IAcceptOwner.Accepted"/>.</summary>
internal abstract class AcceptOperation(IAcceptOwner owner) : IoOperation(owner)
{
    /// <summary>Who takes the connections.</summary>
    protected IAcceptOwner Acceptor { get; } = owner;
}

/// <summary>Connects a new socket to an endpoint. One object serves again and again: set the endpoint, start.</summary>
internal abstract class ConnectOperation(in IoEndpoint endpoint, IIoOwner owner) : IoOperation(owner)
{
    /// <summary>Where to.</summary>
    public IoEndpoint Endpoint { get; set; } = endpoint;

    /// <summary>The connected socket, the owner's to close; null until the operation ended well.</summary>
    public IoSocket? Socket { get; protected set; }
}

/// <summary>Receives into, or sends from, a piece of memory. One object serves again and again: set the memory, start.</summary>
internal abstract class TransferOperation(IIoOwner owner) : IoOperation(owner)
{
    /// <summary>
    /// The memory. A send ends when all of it was taken by the kernel; a receive ends with the first bytes.
    /// Must be of the pinned heap, native, or be kept pinned by its owner until the end.
    /// </summary>
    public Memory<byte> Buffer { get; set; }

    /// <summary>Bytes moved. 0 after a receive without error is the end of the stream.</summary>
    public int BytesTransferred { get; protected set; }
}

/// <summary>
/// Carries one direction: everything from one socket to the other, then the end of sending. Ends well after the
/// end was passed on, with <see cref="IoError.ReceiverBroke"/> if the side that it sends to broke while the other direction still delivers what
/// that side had sent, with <see cref="IoError.Reset"/> or another error if both sides are to be reset now. Closes nothing.
/// </summary>
internal abstract class PumpOperation(IIoOwner owner, ByteCounter counter) : IoOperation(owner)
{
    /// <summary>Counts what the receiving socket's kernel has taken.</summary>
    protected ByteCounter Counter { get; } = counter;
}

/// <summary>Waits until a foreign handle is signalled (on Linux: readable or hung up), then ends well.</summary>
internal abstract class WatchOperation(IIoOwner owner) : IoOperation(owner);
