using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward</c>: the relay without a parent. Tells of its mappings and runs until a signal.</summary>
internal static class ForwardRunner
{
    internal static ExitCode Run(
        LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote, ForwardOutput output)
    {
        PortTable table = new(host.Loop, host.OpenTarget(target), guestProtocol, allowRemote, host.Log);
        host.StopOnSignals();
        PortMapping[] mapped;
        try
        {
            mapped = table.Map(mappings);
        }
        catch (RelayException e)
        {
            StandardError.WriteLine($"{e.Error.Name}: {e.Message}");
            return ExitCode.Failed;
        }

        using WatchScreen? screen = output == ForwardOutput.Table ? new WatchScreen(host, table, target) : null;
        if (output == ForwardOutput.Json)
            _ = new ForwardJson(host, table, mapped);

        foreach (PortMapping mapping in output == ForwardOutput.Lines ? mapped : [])
            host.Print($"{mapping} -> {target} {mapping.GuestPort}");

        host.Run();
        return ExitCode.Success;
    }
}

/// <summary>How <c>forward</c> tells of its mappings.</summary>
internal enum ForwardOutput
{
    Lines,
    Json,
    Table,
}
