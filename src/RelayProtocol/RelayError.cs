namespace RelayProtocol;

/// <summary>One error as the protocol carries it: in a response, in an <c>error</c> notification, or in a guest agent's answer.</summary>
/// <remarks>Immutable; any thread. Source: the protocol document, section 1, "Errors".</remarks>
public sealed record RelayError
{
    /// <summary>An error as it came, known to this library or not.</summary>
    /// <param name="code">The signed 32-bit HRESULT.</param>
    /// <param name="name">The name on the wire.</param>
    /// <param name="message">The text for a person.</param>
    /// <param name="index">The place of the failing item in the request's params, from 0; null when the error is not about one item.</param>
    public RelayError(int code, string name, string message, int? index = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(message);
        Code = code;
        Name = name;
        Message = message;
        Index = index;
    }

    /// <summary>One of the known errors.</summary>
    /// <param name="code">Which.</param>
    /// <param name="message">The text for a person.</param>
    /// <param name="index">The place of the failing item in the request's params, from 0; null when the error is not about one item.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> is <see cref="RelayErrorCode.Unknown"/> or no member.</exception>
    public RelayError(RelayErrorCode code, string message, int? index = null)
        : this(code.Hresult(), code.Name(), message, index)
    {
    }

    /// <summary>The signed 32-bit HRESULT, the same on every operating system.</summary>
    public int Code { get; }

    /// <summary>The name on the wire, for example <c>AddressInUse</c>.</summary>
    public string Name { get; }

    /// <summary>The text for a person; names the address, as in <c>127.0.0.1:8080/tcp</c>, where there is one.</summary>
    public string Message { get; internal init; }

    /// <summary>The place of the failing item in the request's params, from 0; null when the error is not about one item.</summary>
    public int? Index { get; init; }

    /// <summary>The error by name, or <see cref="RelayErrorCode.Unknown"/>.</summary>
    public RelayErrorCode Kind => RelayErrorCodes.FromName(Name);

    /// <summary>Name, number and message on one line, for a log.</summary>
    public override string ToString() => $"{Name} (0x{Code:X8}): {Message}";
}
