using Wslrelay.Cli;

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
            Console.Error.WriteLine($"wslrelay: {e}");
            return (int)ExitCode.Failed;
        }
    }
}
