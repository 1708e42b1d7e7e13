namespace RelayProtocol;

/// <summary>
/// The relay is gone, or its side of the channel is: it ended, closed its output, or sent what is not the protocol. Every call in
/// flight and every later one fails with it; whether a call in flight took effect is unknown, but a relay that ended holds no port.
/// </summary>
/// <param name="message">What happened and what to do about it.</param>
/// <param name="exitCode">The relay's exit code, or null when it is not known.</param>
/// <param name="innerException">The failure of the stream, if there was one.</param>
public class RelayDisconnectedException(string message, int? exitCode = null, Exception? innerException = null) : IOException(message, innerException)
{
    /// <summary>
    /// The relay's exit code: 0 asked to end, 1 failed, 2 usage, 3 broken protocol stream; negative when a signal ended it
    /// (Linux: minus the signal's number); null when it is not known.
    /// </summary>
    public int? ExitCode => exitCode;
}
