using System.CommandLine;

namespace Wslrelay.WaitBench;

/// <summary>The command line of the wait's benchmark.</summary>
internal static class WaitCommand
{
    /// <summary>Parses, measures and prints; returns the exit code.</summary>
    internal static int Run(string[] args)
    {
        // As UTF-8, whatever the console makes of it: the tables are for a file.
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });
        Console.SetError(new StreamWriter(Console.OpenStandardError()) { AutoFlush = true });
        Option<double> seconds = new("--seconds") { Description = "How long each figure is measured.", DefaultValueFactory = _ => 1 };
        Option<int> rounds = new("--rounds") { Description = "How often everything is measured.", DefaultValueFactory = _ => 3 };
        Option<int[]> idle = new("--idle")
        {
            Description = "How many handles are idle, a row each; the first is what the others are compared with.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [10, 100, 1_000, 10_000],
        };
        Option<IdleKind> kind = new("--kind") { Description = "What is idle.", DefaultValueFactory = _ => IdleKind.Both };
        Option<int> inFlight = new("--in-flight")
        {
            Description = "How many events are under way at once, up to 8. With 1 each event pays for a wait of its own.",
            DefaultValueFactory = _ => 1,
        };
        seconds.Validators.Add(result => Check(result, seconds, value => value is > 0 and <= 3600));
        rounds.Validators.Add(result => Check(result, rounds, value => value is > 0 and <= 1000));
        idle.Validators.Add(result => Check(result, idle, values => values is { Length: > 0 } && Array.TrueForAll(values, value => value > 0)));
        inFlight.Validators.Add(result => Check(result, inFlight, value => value is > 0 and <= Ring.MostInFlight));
        RootCommand command = new("Measures what an event of the wait costs beside idle handles.") { seconds, rounds, idle, kind, inFlight };
        command.SetAction(parsed => WaitTable.Print(new WaitOptions(
            TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            parsed.GetValue(rounds),
            parsed.GetValue(idle)!,
            parsed.GetValue(kind),
            parsed.GetValue(inFlight))));
        return command.Parse(args).Invoke();
    }

    private static void Check<T>(System.CommandLine.Parsing.OptionResult result, Option<T> option, Func<T?, bool> isGood)
    {
        if (!isGood(result.GetValue(option)))
            result.AddError($"{option.Name}: out of range");
    }
}
