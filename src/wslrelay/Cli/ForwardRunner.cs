using RelayProtocol;
using Wslrelay.Diagnostics;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward</c>: the relay without a parent. Tells of its mappings and runs until a signal.</summary>
internal static class ForwardRunner
{
    // Numbers that are tried for localhost:0.
    private const int MaxAttempts = 100;

    internal static ExitCode Run(
        LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote, ForwardOutput output)
    {
        PortTable table = new(host.Loop, host.OpenTarget(target), guestProtocol, allowRemote, host.Log);
        host.StopOnSignals();
        PortMapping[] mapped;
        try
        {
            mapped = Map(table, mappings);
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

    // Two mappings in a row that came from localhost:0 get one number. What was mapped before one that fails ends with the program.
    private static PortMapping[] Map(PortTable table, IReadOnlyList<PortMapping> mappings)
    {
        List<PortMapping> mapped = [];
        for (int i = 0; i < mappings.Count; i++)
        {
            if (mappings[i] is { GuestFamily: 0, HostPort: 0, Family: 4 })
                mapped.AddRange(MapBoth(table, mappings[i], mappings[++i]));
            else
                mapped.AddRange(table.Map([mappings[i]]));
        }

        return [.. mapped];
    }

    private static PortMapping[] MapBoth(PortTable table, PortMapping four, PortMapping six)
    {
        // Kept until a number is found, so that the system gives another one each time.
        List<PortMappingKey> useless = [];
        while (true)
        {
            PortMapping chosen = table.Map([four])[0];
            try
            {
                PortMapping[] both = [chosen, .. table.Map([six.WithHostPort(chosen.HostPort)])];
                PortTable.Close(table.Remove(useless), static () => { });
                return both;
            }
            catch (RelayException e) when (e.Error.Kind == RelayErrorCode.AddressInUse && useless.Count < MaxAttempts)
            {
                useless.Add(chosen.Key);
            }
        }
    }
}

/// <summary>How <c>forward</c> tells of its mappings.</summary>
internal enum ForwardOutput
{
    Lines,
    Json,
    Table,
}
