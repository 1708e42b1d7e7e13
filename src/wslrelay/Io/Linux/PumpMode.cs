namespace Wslrelay.Io.Linux;

/// <summary>How a pump moves data. Set by the environment variable <c>WSLRELAY_PUMP</c>, for tests and troubleshooting.</summary>
internal enum PumpMode
{
    /// <summary>Each direction copies small data and splices bulk data.</summary>
    Adaptive,

    Copy,

    /// <summary>Everything is spliced, if the sockets support it.</summary>
    Splice,
}
