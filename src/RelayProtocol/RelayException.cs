namespace RelayProtocol;

/// <summary>The relay answered a call with an error; also thrown inside the relay, to be answered.</summary>
public class RelayException : Exception
{
    /// <summary>Carries an error.</summary>
    /// <param name="error">The error; its message becomes the exception's.</param>
    public RelayException(RelayError error)
        : base((error ?? throw new ArgumentNullException(nameof(error))).Message)
    {
        Error = error;
        HResult = error.Code;
    }

    /// <summary>Carries one of the known errors.</summary>
    /// <param name="code">Which.</param>
    /// <param name="message">The text for a person.</param>
    /// <param name="index">The place of the failing item in the request's params, from 0, or null.</param>
    public RelayException(RelayErrorCode code, string message, int? index = null)
        : this(new RelayError(code, message, index))
    {
    }

    /// <summary>The relay's error.</summary>
    public RelayError Error { get; }
}
