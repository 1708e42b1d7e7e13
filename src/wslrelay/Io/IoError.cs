namespace Wslrelay.Io;

/// <summary>The platform-independent result of an operation.</summary>
internal enum IoError : byte
{
    None,

    /// <summary>Cancelled by its owner, or the loop stopped.</summary>
    Cancelled,

    /// <summary>The peer reset the connection or no longer exists.</summary>
    Reset,

    /// <summary>
    /// Of a pump: the side that it sends to was reset or is gone. What that side had sent before can still be received; the pump in the other
    /// direction then ends with the error.
    /// </summary>
    ReceiverBroke,

    ConnectionRefused,
    TimedOut,
    HostUnreachable,
    AddressInUse,

    /// <summary>The system refuses the port or the path.</summary>
    AccessDenied,

    /// <summary>The address is not one of this machine's, or cannot be listened on.</summary>
    AddressNotAvailable,

    /// <summary>This system does not have that kind of socket or handle.</summary>
    NotSupported,

    /// <summary>Out of handles or of socket memory.</summary>
    TooManyOpenFiles,

    /// <summary>The peer attached a descriptor that is not one connected TCP socket.</summary>
    BadDescriptor,

    /// <summary>Any other error; see the native error.</summary>
    Failed,
}

/// <summary>A set-up call (listening, or opening a handle) failed. Thrown on the caller's thread.</summary>
internal sealed class IoException(IoError error, int nativeError, string message) : Exception(message)
{
    public IoError Error { get; } = error;

    /// <summary>The system's own number; 0 if there is none.</summary>
    public int NativeError { get; } = nativeError;
}
