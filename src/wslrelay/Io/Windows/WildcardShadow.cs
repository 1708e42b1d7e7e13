using System.Runtime.Versioning;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Finds out whether a bind to one address hides another socket's listener on all addresses. On Windows such a bind
/// succeeds, exclusive or not, and takes the other's connections. A bind of the wildcard without any option tells, at the same
/// cost however many ports are open: it fails where a socket of any kind has the wildcard, dual-stack ones included, and
/// succeeds beside sockets of single addresses, our own included. Done after our own bind, so nobody can slip in between. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class WildcardShadow(CompletionPort port)
{
    private const int Trials = 3;

    private bool? _possible;

    /// <summary>True where the socket that was just bound to one address and this port shadows another.</summary>
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
        {
            return error;
        }

        if (family == AF_INET6)
        {
            _ = probe.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
        }

        return probe.BindWildcard(number);
    }

    /// <summary>
    /// Where the wildcard cannot be bound beside a single address, the opposite is impossible as well: the bind itself
    /// has refused, and the probe would find nothing but ourselves. Asked once, of ports of our own.
    /// </summary>
    private bool IsPossible()
    {
        for (int trial = 0; trial < Trials; trial++)
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
