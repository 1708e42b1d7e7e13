using Wslrelay.Cli;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay;

internal static class Program
{
    private static int Main(string[] args)
    {
        // Before anything is opened.
        _ = StandardStream.Input;
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
