using System.Runtime.InteropServices;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>The protocol's name for an operation's error, and what a person is told.</summary>
internal static class IoErrors
{
    /// <summary>Never <see cref="RelayErrorCode.Unknown"/>: an error without an equivalent is <see cref="RelayErrorCode.Internal"/>.</summary>
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

    /// <summary>Why a connection could not be made, and what to do about it.</summary>
    /// <param name="error">The error.</param>
    /// <param name="nativeError">The system's own number, 0 where there is none.</param>
    public static string Describe(this IoError error, int nativeError = 0) => error switch
    {
        IoError.ConnectionRefused => "nothing listens there; start it, or correct the address",
        IoError.Reset => "the connection was reset while it was set up",
        IoError.TimedOut => "no answer in time; is it running, and does a firewall let this through?",
        IoError.HostUnreachable => "there is no route to it; is its network, or its virtual machine, up?",
        IoError.TooManyOpenFiles => "the process is out of handles, or the system out of socket memory; end connections or raise the limit",
        IoError.AddressInUse or IoError.AddressNotAvailable =>
            "no local port is free; too many connections to the same address are open or have just ended (net.ipv4.ip_local_port_range on Linux, the dynamic port range on Windows)",
        IoError.AccessDenied => "the system does not allow it; check the permissions of the socket's file, or the firewall",
        IoError.NotSupported => "this system has no such sockets",
        IoError.BadDescriptor => "the agent passed something that is not a connected TCP socket",
        _ when nativeError != 0 => $"{Marshal.GetPInvokeErrorMessage(nativeError)} (system error {nativeError})",
        _ => error.ToString(),
    };
}
