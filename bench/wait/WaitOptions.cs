namespace Wslrelay.WaitBench;

/// <summary>What the command was told.</summary>
/// <param name="Time">How long each figure is measured.</param>
/// <param name="Rounds">How often everything is measured.</param>
/// <param name="IdleCounts">How many handles are idle, a row each.</param>
/// <param name="Kind">What is idle.</param>
/// <param name="InFlight">How many events are under way at once.</param>
internal sealed record WaitOptions(TimeSpan Time, int Rounds, IReadOnlyList<int> IdleCounts, IdleKind Kind, int InFlight);
