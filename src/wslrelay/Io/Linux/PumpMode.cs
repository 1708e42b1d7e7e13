namespace Wslrelay.Io.Linux;

/// <summary>How data passes. The environment variable <c>WSLRELAY_PUMP</c> forces one, for tests and for finding faults.</summary>
internal enum PumpMode
{
    /// <summary>Small data is copied, bulk is spliced, by what each direction sees.</summary>
    Adaptive,

    /// <summary>Everything is copied.</summary>
    Copy,

    /// <summary>Everything is spliced, where the sockets can.</summary>
    Splice,
}
