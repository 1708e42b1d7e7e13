namespace RelayProtocol;

/// <summary>
/// The table between <see cref="RelayErrorCode"/>, the name on the wire and the HRESULT on the wire. Immutable; any thread.
/// </summary>
public static class RelayErrorCodes
{
    /// <summary>The signed 32-bit HRESULT that stands for an error on the wire, the same on every operating system.</summary>
    /// <param name="code">One of the known errors.</param>
    /// <returns>The number, for example -2147014848 (0x80072740) for <see cref="RelayErrorCode.AddressInUse"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> is not a known error.</exception>
    public static int Hresult(this RelayErrorCode code) => unchecked((int)(code switch
    {
        RelayErrorCode.AddressInUse => 0x80072740,
        RelayErrorCode.AccessDenied => 0x80070005,
        RelayErrorCode.AddressNotAvailable => 0x80072741,
        RelayErrorCode.AddressNotAllowed => 0x80070032,
        RelayErrorCode.NotSupported => 0x80070032,
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

    /// <summary>The name that stands for an error on the wire: the member's own name.</summary>
    /// <param name="code">One of the known errors.</param>
    /// <returns>The name, for example <c>AddressInUse</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> is not a known error.</exception>
    public static string Name(this RelayErrorCode code) => code switch
    {
        // Spelled out rather than formatted from the enum: the wire's words must survive a renaming here, and need no reflection.
        RelayErrorCode.AddressInUse => "AddressInUse",
        RelayErrorCode.AccessDenied => "AccessDenied",
        RelayErrorCode.AddressNotAvailable => "AddressNotAvailable",
        RelayErrorCode.AddressNotAllowed => "AddressNotAllowed",
        RelayErrorCode.NotSupported => "NotSupported",
        RelayErrorCode.NotFound => "NotFound",
        RelayErrorCode.TooManyOpenFiles => "TooManyOpenFiles",
        RelayErrorCode.InvalidParams => "InvalidParams",
        RelayErrorCode.MethodNotFound => "MethodNotFound",
        RelayErrorCode.ConnectionRefused => "ConnectionRefused",
        RelayErrorCode.TimedOut => "TimedOut",
        RelayErrorCode.HostUnreachable => "HostUnreachable",
        RelayErrorCode.Internal => "Internal",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "not a known error"),
    };

    /// <summary>Finds an error by its name on the wire.</summary>
    /// <param name="name">The name, case-sensitive.</param>
    /// <returns>The error, or <see cref="RelayErrorCode.Unknown"/>; never throws.</returns>
    public static RelayErrorCode FromName(string? name)
    {
        for (RelayErrorCode code = RelayErrorCode.AddressInUse; code <= RelayErrorCode.Internal; code++)
        {
            if (code.Name() == name)
            {
                return code;
            }
        }
        return RelayErrorCode.Unknown;
    }
}
