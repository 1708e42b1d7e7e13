using System.Diagnostics;
using System.Net;
using System.Text;
using MessagePack;
using RelayProtocol;
using RelayProtocol.Rpc;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>check</c>: whether and why mappings would work, hop by hop. Each hop is asked by what serves it in the relay.</summary>
internal sealed class CheckRunner(LoopHost host, RelayTargetEndpoint target, GuestProtocol guestProtocol)
{
    private const int StepMilliseconds = 3000;
    private const int ProbesAtOnce = 64;

    // Without a mapping only the agent's answer counts, and a preamble for any port gets one.
    private const int AnyPort = 1;

    private readonly Queue<PortProbe> _waiting = new();
    private int _running;

    internal static ExitCode Run(LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool json)
    {
        CheckHop[] hops = new CheckRunner(host, host.OpenTarget(target), guestProtocol).Check(mappings.Count > 0 ? [.. mappings] : [null]);
        bool hasFailed = Array.Exists(hops, static hop => hop.HasFailed);
        string output = json ? JsonText.Of(Write, hops) : string.Join('\n', (object[])hops);
        return StandardStream.Output.Write(Encoding.UTF8.GetBytes(output + "\n")) && !hasFailed ? ExitCode.Success : ExitCode.Failed;
    }

    private static void Write(ref MessagePackWriter writer, CheckHop[] hops) => writer.WriteMap(Field.Array("hops", hops, CheckHop.Write));

    private CheckHop[] Check(PortMapping?[] mappings)
    {
        List<CheckHop>[] hops = Array.ConvertAll(mappings, CheckHostPort);
        PortProbe?[][] probes = Array.ConvertAll<PortMapping?, PortProbe?[]>(mappings, mapping => [Probe(mapping, 4), Probe(mapping, 6)]);
        host.StopOnSignals();
        StartWaiting();
        host.Run();
        List<ListeningSocket> listeners = [];
        _ = host.Port.Listeners().Read(listeners);
        return
        [
            .. hops.Zip(mappings, probes).SelectMany(
                check => check.First.Concat(new CheckReport(target.Target, guestProtocol, check.Second, check.Third, listeners).Hops())),
        ];
    }

    private PortProbe? Probe(PortMapping? mapping, int family)
    {
        if (target.OfFamily(family) is not { } endpoint)
            return null;

        IPAddress address = family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;

        // Only an agent says whether it carries datagrams; a server's host is asked by TCP.
        MapProtocol protocol = target.Target.HasAgent && mapping is not null ? mapping.Protocol : MapProtocol.Tcp;
        PortProbe probe = new(MakeTable(endpoint), new PortMapping(address, 0, mapping?.GuestPort ?? AnyPort, protocol));
        _waiting.Enqueue(probe);
        return probe;
    }

    private PortTable MakeTable(RelayTargetEndpoint endpoint) =>
        new(host.Loop, endpoint, guestProtocol, allowRemote: true, host.Log) { SetUpTimeout = StepMilliseconds };

    private void StartWaiting()
    {
        while (_running < ProbesAtOnce && _waiting.TryDequeue(out PortProbe? probe))
        {
            _running++;
            probe.Start(() => host.Loop.Post(Ended));
        }

        void Ended()
        {
            _running--;
            StartWaiting();
            if (_running == 0)
                host.Loop.Stop();
        }
    }

    private List<CheckHop> CheckHostPort(PortMapping? mapping)
    {
        if (mapping is null)
            return [];

        const string Name = "host port";
        long start = Stopwatch.GetTimestamp();
        try
        {
            MakeTable(target).Probe(mapping);
            string remote = IPAddress.IsLoopback(mapping.Address) ? "" : ", and other machines reach it: wslrelay wants --allow-remote for that";
            string free = mapping.HostPort == 0 ? "the system chooses one" : "it is free";
            return [CheckHop.Ok(mapping, Name, Stopwatch.GetElapsedTime(start), $"{mapping}: {free}{remote}")];
        }
        catch (RelayException e)
        {
            return [CheckHop.Fail(mapping, Name, e.Message)];
        }
    }
}
