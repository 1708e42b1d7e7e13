namespace RelayProtocol.Rpc;

/// <summary>Thrown when a control stream is broken: where the next message begins can no longer be known, so the session is over.</summary>
public sealed class RpcFormatException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="reason">Why the stream cannot be read on.</param>
    /// <param name="message">The same for a person.</param>
    public RpcFormatException(RpcFormatError reason, string message)
        : base(message)
    {
        Reason = reason;
    }

    /// <summary>Why the stream cannot be read on.</summary>
    public RpcFormatError Reason { get; }
}
