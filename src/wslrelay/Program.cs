using Wslrelay.Cli;
using Wslrelay.Diagnostics;

namespace Wslrelay;

/// <summary>The program's entry.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return (int)CommandLine.Run(args, new CommandHandlers());
        }
        catch (Exception e)
        {
            StandardError.WriteLine($"{e}");
            return (int)ExitCode.Failed;
        }
    }
}
