using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Wslrelay.Cli;

/// <summary>The help of a command, followed by its example; the program's own help has the examples of all commands.</summary>
internal sealed class HelpWithExamples(HelpAction help, IReadOnlyDictionary<Command, string> examples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int exitCode = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        Command command = parseResult.CommandResult.Command;
        string[] shown = examples.TryGetValue(command, out string? example) ? [example] : [.. examples.Values];
        output.WriteLine(shown.Length == 1 ? "Example:" : "Examples:");
        foreach (string line in shown)
            output.WriteLine($"  {line}");

        return exitCode;
    }
}
