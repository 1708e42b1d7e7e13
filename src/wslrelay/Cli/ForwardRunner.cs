using System.Runtime.InteropServices;
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
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            PortTable table = new(loop, RelayTargetEndpoint.Resolve(options.Target), options.AllowRemote, new RelayLog(logger));
            foreach (PortMapping mapping in table.Map(options.Mappings))
            {
                Console.WriteLine($"{mapping} -> {options.Target} {mapping.GuestPort}");
            }
        }
        catch (RelayException e)
        {
            Console.Error.WriteLine($"wslrelay: {e.Error.Name}: {e.Message}");
            return ExitCode.Failed;
        }

        loop.Run();
        logger.Flush(100);
        return ExitCode.Asked;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            loop.Post(loop.Stop);
        }
    }
}
