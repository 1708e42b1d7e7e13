namespace Wslrelay.WaitBench;

/// <summary>What one run has measured.</summary>
/// <param name="Signal">The event of a watched signal.</param>
/// <param name="Receive">The event of a receive.</param>
/// <param name="Failure">Why there are no such figures; null if there are.</param>
internal readonly record struct WaitSample(EventCost Signal, EventCost Receive, string? Failure);
