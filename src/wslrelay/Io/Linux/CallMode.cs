namespace Wslrelay.Io.Linux;

/// <summary>
/// How the calls for data are made. The environment variable <c>WSLRELAY_CALLS</c> forces one, for tests, for finding faults, and where a sandbox ends a
/// process that asks for a ring.
/// </summary>
internal enum CallMode
{
    /// <summary>One by one while little happens, together where much happens at once.</summary>
    Adaptive,

    /// <summary>One by one, always.</summary>
    Single,

    /// <summary>Through the ring, always.</summary>
    Ring,
}
