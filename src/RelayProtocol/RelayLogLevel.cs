namespace RelayProtocol;

/// <summary>How much a relay writes to its standard error; each level includes those before it.</summary>
public enum RelayLogLevel
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>What failed.</summary>
    Error,

    /// <summary>What may be wrong.</summary>
    Warning,

    /// <summary>Beginnings and ends; the relay's default.</summary>
    Information,

    /// <summary>Every connection.</summary>
    Debug,
}
