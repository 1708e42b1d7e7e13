using Wslrelay.Cli;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay;

internal static class Program
{
    private static int Main(string[] args)
    {
        // First of all, so that nothing that is opened here gets the number of a standard stream that was closed.
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
