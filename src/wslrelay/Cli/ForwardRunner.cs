using System.Net;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Diagnostics;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>forward</c>: the relay without a parent. Tells of its mappings, also of those that come and go by themselves, and runs until a signal.</summary>
internal static class ForwardRunner
{
    // Numbers that are tried for localhost:0.
    private const int MaxAttempts = 100;
    private const int MaxProgram = 64;

    internal static ExitCode Run(
        LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool allowRemote, ForwardOutput output,
        AutoSelection? selection)
    {
        PortTable table = new(host.Loop, host.OpenTarget(target), guestProtocol, allowRemote, host.Log);
        host.StopOnSignals();
        ExitCode exitCode = ExitCode.Success;
        try
        {
            PortMapping[] mapped = Map(table, mappings);
            AutoMapper mapper = new(table);
            using WatchScreen? screen = output == ForwardOutput.Table ? new WatchScreen(host, table, target, mapper) : null;
            if (output == ForwardOutput.Json)
                ForwardJson.Start(host, table, mapped);

            foreach (PortMapping mapping in output == ForwardOutput.Lines ? mapped : [])
                host.Print($"{mapping} -> {target} {mapping.GuestPort}");

            if (output == ForwardOutput.Lines && selection is not null)
                PrintChanges(host, table.Events);

            if (selection is not null)
                mapper.Begin(selection, OnFirstReport);

            host.RunService();
        }
        catch (RelayException e)
        {
            Fail(e.Error);
        }

        return exitCode;

        void OnFirstReport(AutoMapResult result, RelayError? error)
        {
            if (error is not null)
            {
                Fail(error);
                host.Loop.Stop();
            }
        }

        void Fail(RelayError error)
        {
            StandardError.WriteLine($"{error.Name}: {error.Message}");
            exitCode = ExitCode.Failed;
        }
    }

    // localhost:0 is two mappings in a row, which get the same port. If one fails, the program ends, and with it those mapped before.
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
        // Kept until a port is found that both can have, so that the system chooses another one each time.
        List<PortMappingKey> rejected = [];
        while (true)
        {
            PortMapping chosen = table.Map([four])[0];
            try
            {
                PortMapping[] both = [chosen, .. table.Map([six.WithHostPort(chosen.HostPort)])];
                PortTable.Close(table.Remove(rejected), static () => { });
                return both;
            }
            catch (RelayException e) when (e.Error.Kind == RelayErrorCode.AddressInUse && rejected.Count < MaxAttempts)
            {
                rejected.Add(chosen.Key);
            }
        }
    }

    private static void PrintChanges(LoopHost host, RelayEvents events)
    {
        events.Subscribe(["mapped", "unmapped"], () =>
        {
            events.BeginPiece();
            while (events.TryTake(out RelayEvent? item))
                Print(item!);
        });

        void Print(RelayEvent item)
        {
            if (item is MappedEvent mapped)
                host.Print($"{Name(mapped.Mapping)} -> {mapped.Mapping.GuestPort}{Program(mapped.Program)}");
            else if (item is UnmappedEvent unmapped)
                host.Print($"{Name(unmapped.Mapping)} is gone");
        }
    }

    private static string Name(PortMapping mapping) => $"{new IPEndPoint(mapping.Address, mapping.HostPort)}";

    // Text from the guest goes to a terminal of the host: no control characters.
    internal static string Program(string? program) => program is null ? "" : $" {string.Concat(program.Where(static c => !char.IsControl(c)).Take(MaxProgram))}";
}

/// <summary>How <c>forward</c> tells of its mappings.</summary>
internal enum ForwardOutput
{
    Lines,
    Json,
    Table,
}
