namespace Wslrelay.Io;

/// <summary>How an operation ended, in the words of neither system.</summary>
internal enum IoError : byte
{
    /// <summary>It did what was asked.</summary>
    None,

    /// <summary>It was cancelled, or the loop stopped.</summary>
    Cancelled,

    /// <summary>The peer reset the connection, or is gone.</summary>
    Reset,

    /// <summary>
    /// Of a pump: the side that it sends to was reset or is gone. What that side had sent before can still be received; the pump in the other
    /// direction then ends with the error.
    /// </summary>
    ReceiverBroke,

    /// <summary>Nothing listens at the target.</summary>
    ConnectionRefused,

    /// <summary>The target did not answer in time.</summary>
    TimedOut,

    /// <summary>There is no way to the target.</summary>
    HostUnreachable,

    /// <summary>The address and port are taken.</summary>
    AddressInUse,

    /// <summary>The system refuses the port or the path.</summary>
    AccessDenied,

    /// <summary>The address is not one of this machine's.</summary>
    AddressNotAvailable,

    /// <summary>This system does not have that kind of socket or handle.</summary>
    NotSupported,

    /// <summary>The process or the system is out of handles or of socket memory.</summary>
    TooManyOpenFiles,

    /// <summary>Anything else: the native error says what.</summary>
    Failed,
}
