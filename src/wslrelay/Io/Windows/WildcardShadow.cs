using System.Runtime.Versioning;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Detects that a bind to one address shadows another socket's listener on all addresses. On Windows such a bind succeeds, exclusive or not,
/// and takes the other's connections. A bind of the wildcard without options tells, at a cost that does not depend on how many ports are
/// open: it fails where any socket, dual-stack ones included, has the wildcard, and succeeds beside single addresses, our own included. Done
/// after our own bind, so that no other can come between. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class WildcardShadow(CompletionPort port)
{
    private const int MaxTrials = 3;

    private bool? _possible;

    /// <summary>Whether the socket that was just bound to one address and this port shadows another.</summary>
    internal bool IsCast(ushort family, int number)
    {
        _possible ??= IsPossible();
        return _possible.Value && Probe(family, number) == WSAEADDRINUSE;
    }

    /// <summary>Binds the wildcard of a family for a moment; returns the error.</summary>
    internal int Probe(ushort family, int number)
    {
        using WindowsSocket? probe = WindowsSocket.TryCreate(port, family, out int error);
        if (probe is null)
            return error;

        if (family == AF_INET6)
            _ = probe.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1);

        return probe.BindWildcard(number);
    }

    // Where the wildcard cannot be bound beside a single address (Wine), neither can the reverse: the bind itself has refused, and the probe
    // would only find our own socket. Tried once, on ports of our own.
    private bool IsPossible()
    {
        for (int trial = 0; trial < MaxTrials; trial++)
        {
            using WindowsSocket? own = WindowsSocket.TryCreate(port, AF_INET, out _);
            if (own is null
                || own.Set(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1) != 0
                || own.Bind(IoEndpoint.Tcp(System.Net.IPAddress.Loopback, 0)) != 0
                || listen(own, 1) != 0
                || Probe(AF_INET, own.LocalPort) != WSAEADDRINUSE)
            {
                return true;
            }
        }

        return false;
    }
}
