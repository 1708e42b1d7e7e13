using System.Globalization;
using System.Runtime.InteropServices;

namespace Wslrelay.WaitBench;

/// <summary>Measures round by round, each row once in a round, and prints medians as Markdown.</summary>
internal static class WaitTable
{
    /// <summary>Measures and prints.</summary>
    internal static void Print(WaitOptions options)
    {
        WaitSample[][] rows = Measure(options);
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{System()}, .NET {Environment.Version}; {options.Rounds} rounds of {options.Time.TotalSeconds} s; idle: {Idle(options.Kind)}; events under way at once: {options.InFlight}"));
        Print("Signals: watched, set, dispatched, watched again", options, rows, sample => sample.Signal);
        Print("Receives: one byte sent, received, dispatched, received again", options, rows, sample => sample.Receive);
    }

    // The row that is first changes with the round: what slows the machine for a while slows all.
    private static WaitSample[][] Measure(WaitOptions options)
    {
        int count = options.IdleCounts.Count;
        WaitSample[][] rows = [.. options.IdleCounts.Select(_ => new WaitSample[options.Rounds])];
        for (int round = 0; round < options.Rounds; round++)
        {
            for (int i = 0; i < count; i++)
            {
                int row = (round + i) % count;
                WaitSample sample = WaitRun.Measure(options, options.IdleCounts[row]);
                rows[row][round] = sample;
                string said = sample.Failure ?? string.Create(CultureInfo.InvariantCulture, $"signal {sample.Signal.Elapsed:F2} µs, receive {sample.Receive.Elapsed:F2} µs");
                Console.Error.WriteLine($"round {round + 1}, {options.IdleCounts[row]} idle: {said}");
            }
        }

        return rows;
    }

    private static void Print(string title, WaitOptions options, WaitSample[][] rows, Func<WaitSample, EventCost> figure)
    {
        Console.Out.WriteLine();
        Console.Out.WriteLine(title);
        Console.Out.WriteLine();
        Console.Out.WriteLine($"| idle handles | events/s | µs per event | least to most | ratio to {options.IdleCounts[0]} idle | processor µs | ratio |");
        Console.Out.WriteLine("|---:|---:|---:|---:|---:|---:|---:|");
        EventCost[] first = [.. rows[0].Select(figure)];
        for (int i = 0; i < rows.Length; i++)
            Console.Out.WriteLine(Row(options.IdleCounts[i], rows[i], [.. rows[i].Select(figure)], first));
    }

    private static string Row(int idle, WaitSample[] samples, EventCost[] each, EventCost[] first)
    {
        if (Array.Find(samples, sample => sample.Failure is not null).Failure is { } failure)
            return $"| {idle} | not to be had: {failure} | | | | | |";

        double[] elapsed = [.. each.Select(cost => cost.Elapsed)];
        double median = Median(elapsed);
        double ratio = Median([.. each.Zip(first, (one, other) => one.Elapsed / other.Elapsed)]);
        double processor = Median([.. each.Select(cost => cost.Processor)]);
        double processorRatio = Median([.. each.Zip(first, (one, other) => one.Processor / other.Processor)]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {idle:N0} | {1e6 / median:N0} | {median:F2} | {elapsed.Min():F2} to {elapsed.Max():F2} | {ratio:F2} | {processor:F2} | {processorRatio:F2} |");
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string System() =>
        OperatingSystem.IsWindows() && NativeLibrary.TryLoad("ntdll", out nint ntdll) && NativeLibrary.TryGetExport(ntdll, "wine_get_version", out _)
            ? $"{RuntimeInformation.OSDescription} (Wine)"
            : RuntimeInformation.OSDescription;

    private static string Idle(IdleKind kind) => kind switch
    {
        IdleKind.Signals => "watched signals",
        IdleKind.Listeners => "listening sockets",
        _ => "half watched signals, half listening sockets",
    };
}
