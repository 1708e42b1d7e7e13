using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;
using Wslrelay.Relaying;

namespace Wslrelay.Cli;

/// <summary>
/// What the two probes of a mapping, over IPv4 and over IPv6, say about the hops behind the host port. The mapping is null where none was given, a probe where the
/// target has no address of its family. Runs when the probes have ended.
/// </summary>
internal sealed class CheckReport(
    RelayTarget target, GuestProtocol guestProtocol, PortMapping? mapping, PortProbe?[] probes, List<ListeningSocket> listeners)
{
    private readonly bool _hasAgent = target.HasAgent;

    // The probe that is like the mapping's own connections comes first.
    private readonly PortProbe[] _inOrder = [.. (mapping is { GuestFamily: 6 } or { GuestFamily: 0, Family: 6 } ? probes.Reverse() : probes).OfType<PortProbe>()];

    internal IEnumerable<CheckHop> Hops()
    {
        CheckHop[] hops = [Target(), Agent()];
        return mapping is null ? hops : [.. hops, GuestPort(4), GuestPort(6)];
    }

    // A server's host that refuses a connection can be reached.
    private PortProbe? Reached => Array.Find(
        _inOrder, probe => probe.ConnectTime is not null || (!_hasAgent && probe.Error!.Kind == RelayErrorCode.ConnectionRefused));

    // An agent that answers that it could not connect has understood the preamble.
    private bool HasUnderstood => Array.Exists(
        _inOrder, static probe => (probe.Error is null || probe.IsAnswer) && probe.Error?.Kind is not (RelayErrorCode.InvalidParams or RelayErrorCode.NotSupported));

    private CheckHop Target()
    {
        const string Name = "target";
        if (Reached is { } reached)
            return CheckHop.Ok(mapping, Name, reached.ConnectTime ?? reached.TotalTime, $"{(_hasAgent ? reached.Endpoint : reached.Endpoint.Address)} answers");

        if (_inOrder is not [{ Error: { } error } first, ..])
            return CheckHop.Skip(mapping, Name, "it was not asked");

        if (!_hasAgent && mapping?.Protocol == MapProtocol.Udp && error.Kind == RelayErrorCode.TimedOut)
            return CheckHop.Skip(mapping, Name, $"{first.Endpoint}: no answer over TCP, which says nothing of UDP");

        string reason = _hasAgent && error.Kind == RelayErrorCode.ConnectionRefused
            ? "nothing listens there; start the agent (wslrelay guest), or correct the address"
            : error.Message;
        return CheckHop.Fail(mapping, Name, $"{first.Endpoint}: {reason}");
    }

    private CheckHop Agent()
    {
        const string Name = "agent";
        if (!_hasAgent)
            return CheckHop.Skip(mapping, Name, "the target is the server itself");

        if (Reached is not { } reached)
            return CheckHop.Skip(mapping, Name, "the target does not answer");

        if (guestProtocol == GuestProtocol.Wsl)
            return CheckHop.Skip(mapping, Name, "WSL's own agent gives no answer");

        return HasUnderstood
            ? CheckHop.Ok(mapping, Name, reached.TotalTime - reached.ConnectTime, "it speaks protocol version 1")
            : CheckHop.Fail(mapping, Name, $"{reached.Endpoint}: {reached.Error!.Message.Split("; ")[0]}; is it 'wslrelay guest' that listens there, and of this version?");
    }

    private CheckHop GuestPort(int family)
    {
        string name = $"guest port v{family}";
        PortProbe? probe = probes[family == 6 ? 1 : 0];
        if (mapping!.Protocol == MapProtocol.Udp)
            return CheckHop.Skip(mapping, name, "whether something receives datagrams cannot be asked");

        if (probe is null)
            return CheckHop.Skip(mapping, name, $"the target has no IPv{family} address");

        if (Reached is null || (_hasAgent && (guestProtocol == GuestProtocol.Wsl || !HasUnderstood)))
            return CheckHop.Skip(mapping, name, "it cannot be asked");

        string place = Place(family, probe);
        if (probe.Error is not { } error)
            return CheckHop.Ok(mapping, name, probe.TotalTime, $"{place}: something listens");

        PortProbe? other = probes[family == 6 ? 0 : 1];
        bool isElsewhere = other is { Error: null };
        bool triesBoth = mapping.GuestFamily == 0 || (!_hasAgent && target.Host is not null);
        if (triesBoth ? isElsewhere : family != mapping.GuestFamily)
            return CheckHop.Skip(mapping, name, $"{place}: {Short(error)}; it is not needed");

        IPEndPoint? local = LocalListener();
        return CheckHop.Fail(
            mapping, name,
            isElsewhere ? $"{place}: {Short(error)}, but something does on {Place(family == 6 ? 4 : 6, other!)}; let it listen on both, or map localhost:{mapping.HostPort}:{mapping.GuestPort}, which finds either"
            : local is not null ? $"{place}: {Short(error)}, but something does on {local}; let it listen on {probe.Endpoint.Address} too, or take the target direct:{BracketedIfSix(local.Address)}"
            : error.Message.StartsWith(place, StringComparison.Ordinal) ? error.Message
            : $"{place}: {error.Message}");
    }

    // Where the target is this machine's loopback, the server may listen on another of its addresses.
    private IPEndPoint? LocalListener() => target != RelayTarget.Direct ? null
        : listeners.Where(listener => listener.Port == mapping!.GuestPort).Select(static listener => new IPEndPoint(listener.Address, listener.Port)).FirstOrDefault();

    private static string BracketedIfSix(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : $"{address}";

    private static string Short(RelayError error) => error.Kind == RelayErrorCode.ConnectionRefused ? "nothing listens there" : $"{error.Name} there";

    private string Place(int family, PortProbe probe) => _hasAgent
        ? $"{new IPEndPoint(family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, mapping!.GuestPort)} in the guest"
        : $"{probe.Endpoint}";
}
