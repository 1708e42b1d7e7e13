namespace Wslrelay.Io.Linux;

/// <summary>
/// How receives, sends and closes are made. Set by the environment variable <c>WSLRELAY_CALLS</c>, for tests, for troubleshooting, and for sandboxes that
/// kill a process that calls io_uring_setup.
/// </summary>
internal enum CallMode
{
    /// <summary>Batched in turns with many wake-ups, else one by one.</summary>
    Adaptive,

    /// <summary>Always one by one; no ring is created.</summary>
    Single,

    /// <summary>Always through the ring.</summary>
    Ring,
}
