using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward</c>: the relay without a parent. Prints a line for each mapping and runs until a signal.</summary>
internal static class ForwardRunner
{
    internal static ExitCode Run(LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote)
    {
        PortTable table = new(host.Loop, host.OpenTarget(target), guestProtocol, allowRemote, host.Log);
        host.StopOnSignals();
        try
        {
            foreach (PortMapping mapping in table.Map(mappings))
                host.Print($"{mapping} -> {target} {mapping.GuestPort}");
        }
        catch (RelayException e)
        {
            StandardError.WriteLine($"{e.Error.Name}: {e.Message}");
            return ExitCode.Failed;
        }

        host.Run();
        return ExitCode.Success;
    }
}
