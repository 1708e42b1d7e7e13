namespace Wslrelay.WaitBench;

/// <summary>What an event costs.</summary>
/// <param name="Elapsed">Microseconds from one to the next.</param>
/// <param name="Processor">Microseconds of processor time, of this process: what others on the machine do is not in it.</param>
internal readonly record struct EventCost(double Elapsed, double Processor);
