namespace RelayProtocol;

/// <summary>Where a relay's standard error, its log, goes.</summary>
public enum RelayStandardError
{
    /// <summary>To the parent's own standard error; nowhere, if the parent has none.</summary>
    Inherit = 0,

    /// <summary>Nowhere.</summary>
    Discard,

    /// <summary>
    /// To <see cref="RelayProcess.StandardError"/>, which the parent must keep reading: while the pipe is full, log lines are dropped.
    /// </summary>
    Pipe,
}
