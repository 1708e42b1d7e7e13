using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// <c>forward</c>: the relay by hand. Maps what it is told, says so, and goes on until a signal. Runs the loop on the thread that calls it.
/// </summary>
internal sealed class ForwardRunner(ForwardOptions options)
{
    internal ExitCode Run()
    {
        StandardErrorLogger logger = new(options.LogLevel);
        using IoPort port = IoPort.Create();
        IoLoop loop = new(port);
        using StopSignals signals = new(loop);
        RelayTargetEndpoint target = Target.Open(port, options.Target);
        try
        {
            PortTable table = new(loop, target, options.GuestProtocol, options.AllowRemote, new RelayLog(logger));
            foreach (PortMapping mapping in table.Map(options.Mappings))
            {
                Console.WriteLine($"{mapping} -> {options.Target} {mapping.GuestPort}");
            }
        }
        catch (RelayException e)
        {
            StandardError.WriteLine($"{e.Error.Name}: {e.Message}");
            return ExitCode.Failed;
        }

        loop.Run();
        logger.Flush(100);
        return ExitCode.Asked;
    }
}
