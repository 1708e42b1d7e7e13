using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>The protocol's word for an operation's error.</summary>
internal static class IoErrors
{
    /// <summary>Never <see cref="RelayErrorCode.Unknown"/>: what has no word of its own is <see cref="RelayErrorCode.Internal"/>.</summary>
    public static RelayErrorCode ToErrorCode(this IoError error) => error switch
    {
        IoError.AddressInUse => RelayErrorCode.AddressInUse,
        IoError.AccessDenied => RelayErrorCode.AccessDenied,
        IoError.AddressNotAvailable => RelayErrorCode.AddressNotAvailable,
        IoError.NotSupported => RelayErrorCode.NotSupported,
        IoError.TooManyOpenFiles => RelayErrorCode.TooManyOpenFiles,
        IoError.ConnectionRefused or IoError.Reset => RelayErrorCode.ConnectionRefused,
        IoError.TimedOut => RelayErrorCode.TimedOut,
        IoError.HostUnreachable => RelayErrorCode.HostUnreachable,
        _ => RelayErrorCode.Internal,
    };
}
