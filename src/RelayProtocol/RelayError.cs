namespace RelayProtocol;

/// <summary>One error as the protocol carries it: in a response, in an <c>error</c> notification, or in a guest agent's answer.</summary>
/// <remarks>Immutable; any thread. Source: the protocol document, section 1, "Errors".</remarks>
/// <param name="Code">The signed 32-bit HRESULT, the same on every operating system.</param>
/// <param name="Name">The name on the wire, for example <c>AddressInUse</c>.</param>
/// <param name="Message">The text for a person; names the address, as in <c>127.0.0.1:8080/tcp</c>, where there is one.</param>
/// <param name="Index">The place of the failing item in the request's params, from 0; null when the error is not about one item.</param>
public sealed record RelayError(int Code, string Name, string Message, int? Index = null)
{
    /// <summary>One of the known errors.</summary>
    /// <param name="code">Which.</param>
    /// <param name="message">The text for a person.</param>
    /// <param name="index">The place of the failing item in the request's params, from 0; null when the error is not about one item.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> is <see cref="RelayErrorCode.Unknown"/> or no member.</exception>
    public RelayError(RelayErrorCode code, string message, int? index = null)
        : this(code.Hresult(), code.ToString(), message, index)
    {
    }

    /// <summary>The error by name, or <see cref="RelayErrorCode.Unknown"/>.</summary>
    public RelayErrorCode Kind => RelayErrorCodes.FromName(Name);

    /// <summary>Name, number and message on one line, for a log.</summary>
    public override string ToString() => $"{Name} (0x{Code:X8}): {Message}";
}
