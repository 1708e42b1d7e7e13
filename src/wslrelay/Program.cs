using Wslrelay.Cli;
using Wslrelay.Diagnostics;

namespace Wslrelay;

internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return (int)CommandLine.Run(args);
        }
        catch (Exception e)
        {
            StandardError.WriteLine($"{e}");
            return (int)ExitCode.Failed;
        }
    }
}
