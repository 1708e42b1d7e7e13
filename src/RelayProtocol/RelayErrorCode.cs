namespace RelayProtocol;

/// <summary>
/// The errors of the protocol by name. The name is the key: two of them share one number on the wire
/// (<see cref="AddressNotAllowed"/> and <see cref="NotSupported"/>), so a number alone does not tell them apart.
/// </summary>
/// <remarks>Source of the names and numbers: the protocol document, section 1, "Errors".</remarks>
public enum RelayErrorCode
{
    /// <summary>A name that this version of the library does not know; <see cref="RelayError.Name"/> has it as it came.</summary>
    Unknown = 0,

    /// <summary>The address and port are mapped already, or another socket has them.</summary>
    AddressInUse,

    /// <summary>The system refuses the port: privileged, or in one of the excluded ranges of Windows.</summary>
    AccessDenied,

    /// <summary>The address is not one of this machine's.</summary>
    AddressNotAvailable,

    /// <summary>The address is not a loopback one, and the relay was not started with <c>--allow-remote</c>.</summary>
    AddressNotAllowed,

    /// <summary>A protocol, protocol version or family that the relay does not support.</summary>
    NotSupported,

    /// <summary>There is no such mapping.</summary>
    NotFound,

    /// <summary>The relay's process is out of handles.</summary>
    TooManyOpenFiles,

    /// <summary>A key is missing, of the wrong type or out of range; the message names the key.</summary>
    InvalidParams,

    /// <summary>The relay does not know the method.</summary>
    MethodNotFound,

    /// <summary>Nothing listens at the target; in a guest agent's answer and in logs.</summary>
    ConnectionRefused,

    /// <summary>The target did not answer in time; in a guest agent's answer and in logs.</summary>
    TimedOut,

    /// <summary>There is no route to the target; in a guest agent's answer and in logs.</summary>
    HostUnreachable,

    /// <summary>A defect in the relay; the message says what.</summary>
    Internal,
}

/// <summary>What stands for each <see cref="RelayErrorCode"/> on the wire: its name, and a number. Stateless; any thread.</summary>
/// <remarks>Source: the protocol document, section 1, "Errors".</remarks>
internal static class RelayErrorCodes
{
    internal static int Hresult(this RelayErrorCode code) => unchecked((int)(code switch
    {
        RelayErrorCode.AddressInUse => 0x80072740,
        RelayErrorCode.AccessDenied => 0x80070005,
        RelayErrorCode.AddressNotAvailable => 0x80072741,
        RelayErrorCode.AddressNotAllowed or RelayErrorCode.NotSupported => 0x80070032,
        RelayErrorCode.NotFound => 0x80070490,
        RelayErrorCode.TooManyOpenFiles => 0x80070004,
        RelayErrorCode.InvalidParams => 0x80070057,
        RelayErrorCode.MethodNotFound => 0x80070001,
        RelayErrorCode.ConnectionRefused => 0x8007274D,
        RelayErrorCode.TimedOut => 0x8007274C,
        RelayErrorCode.HostUnreachable => 0x80072751,
        RelayErrorCode.Internal => 0x8000FFFF,
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "not a known error"),
    }));

    /// <summary>The error of a name, case-sensitive; <see cref="RelayErrorCode.Unknown"/> if there is none.</summary>
    internal static RelayErrorCode FromName(string? name) => Enum.TryParse(name, out RelayErrorCode code) && Enum.IsDefined(code) && $"{code}" == name ? code : RelayErrorCode.Unknown;
}
