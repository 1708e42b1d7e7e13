using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary><c>check</c>: whether and why mappings would work, hop by hop. Each hop is asked by what serves it in the relay.</summary>
internal sealed class CheckRunner(LoopHost host, RelayTargetEndpoint target, GuestProtocol guestProtocol)
{
    private const int StepMilliseconds = 3000;
    private const int ProbesAtOnce = 64;

    // Where no mapping is given only the agent's answer counts, which any port gets.
    private const int AnyPort = 1;

    private readonly Queue<PortProbe> _waiting = new();
    private int _running;

    internal static ExitCode Run(LoopHost host, IReadOnlyList<PortMapping> mappings, RelayTarget target, GuestProtocol guestProtocol, bool json)
    {
        CheckHop[] hops = new CheckRunner(host, host.OpenTarget(target), guestProtocol).Check(mappings.Count > 0 ? [.. mappings] : [null]);
        bool hasFailed = Array.Exists(hops, static hop => hop.HasFailed);
        byte[] output = json ? ToJson(hops) : Encoding.UTF8.GetBytes(string.Concat(hops.Select(static hop => $"{hop}\n")));
        return StandardStream.Output.Write(output) && !hasFailed ? ExitCode.Success : ExitCode.Failed;
    }

    private static byte[] ToJson(CheckHop[] hops)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartArray("hops");
            foreach (CheckHop hop in hops)
                hop.Write(json);

            json.WriteEndArray();
            json.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    private CheckHop[] Check(PortMapping?[] mappings)
    {
        List<CheckHop>[] hops = Array.ConvertAll(mappings, CheckHostPort);
        PortProbe?[][] probes = Array.ConvertAll<PortMapping?, PortProbe?[]>(mappings, mapping => [Probe(mapping, 4), Probe(mapping, 6)]);
        host.StopOnSignals();
        StartWaiting();
        host.Run();
        return
        [
            .. hops.Zip(mappings, probes).SelectMany(
                check => check.First.Concat(new CheckReport(target.Target, guestProtocol, check.Second, check.Third).Hops())),
        ];
    }

    private PortProbe? Probe(PortMapping? mapping, int family)
    {
        if (target.OfFamily(family) is not { } endpoint)
            return null;

        IPAddress address = family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        PortProbe probe = new(MakeTable(endpoint), new PortMapping(address, 0, mapping?.GuestPort ?? AnyPort));
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
