namespace RelayProtocol;

/// <summary>The name and the number that stand for each <see cref="RelayErrorCode"/> on the wire. Immutable; any thread.</summary>
/// <remarks>Source: the protocol document, section 1, "Errors". Spelled out, so that renaming a member here cannot change the wire.</remarks>
internal static class RelayErrorCodes
{
    private static readonly (RelayErrorCode Code, string Name, uint Hresult)[] Known =
    [
        (RelayErrorCode.AddressInUse, "AddressInUse", 0x80072740),
        (RelayErrorCode.AccessDenied, "AccessDenied", 0x80070005),
        (RelayErrorCode.AddressNotAvailable, "AddressNotAvailable", 0x80072741),
        (RelayErrorCode.AddressNotAllowed, "AddressNotAllowed", 0x80070032),
        (RelayErrorCode.NotSupported, "NotSupported", 0x80070032),
        (RelayErrorCode.NotFound, "NotFound", 0x80070490),
        (RelayErrorCode.TooManyOpenFiles, "TooManyOpenFiles", 0x80070004),
        (RelayErrorCode.InvalidParams, "InvalidParams", 0x80070057),
        (RelayErrorCode.MethodNotFound, "MethodNotFound", 0x80070001),
        (RelayErrorCode.ConnectionRefused, "ConnectionRefused", 0x8007274D),
        (RelayErrorCode.TimedOut, "TimedOut", 0x8007274C),
        (RelayErrorCode.HostUnreachable, "HostUnreachable", 0x80072751),
        (RelayErrorCode.Internal, "Internal", 0x8000FFFF),
    ];

    internal static int Hresult(this RelayErrorCode code) => unchecked((int)Find(code).Hresult);

    internal static string Name(this RelayErrorCode code) => Find(code).Name;

    /// <summary>The error of a name, case-sensitive; <see cref="RelayErrorCode.Unknown"/> if there is none.</summary>
    internal static RelayErrorCode FromName(string? name) => Array.Find(Known, error => error.Name == name).Code;

    private static (RelayErrorCode Code, string Name, uint Hresult) Find(RelayErrorCode code)
    {
        foreach ((RelayErrorCode Code, string Name, uint Hresult) error in Known)
        {
            if (error.Code == code)
                return error;
        }
        throw new ArgumentOutOfRangeException(nameof(code), code, "not a known error");
    }
}
