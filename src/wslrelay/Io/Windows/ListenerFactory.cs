using System.Net;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Opens listeners that neither share their address and port with another socket nor shadow one. On Windows a bind to one address succeeds beside
/// another socket's listener on all addresses, exclusive or not, and takes its connections. A bind of the wildcard without options tells, at a cost
/// that does not depend on how many ports are open: it fails where any socket, dual-stack ones included, has the wildcard, and succeeds beside
/// single addresses, our own included. Done after our own bind, so that no other can come between. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class ListenerFactory(CompletionPort port)
{
    private const int MaxAttemptsAtAnyPort = 8;
    private const int MaxTrials = 3;

    private bool? _canShadow;

    /// <summary>Opens, binds, listens (or, for UDP, prepares to receive) and associates.</summary>
    /// <exception cref="IoException">The system refuses.</exception>
    internal WindowsSocket Listen(in IoEndpoint endpoint)
    {
        if (endpoint.Kind is not (IoEndpointKind.Tcp or IoEndpointKind.Udp))
            throw new IoException(IoError.NotSupported, 0, $"{endpoint}: on Windows only TCP can be listened on.");

        ListenAddress.Check(endpoint);
        ushort family = SocketAddress.FamilyOf(endpoint)!.Value;
        bool isSpecific = !endpoint.Address!.Equals(IPAddress.Any) && !endpoint.Address.Equals(IPAddress.IPv6Any);
        bool isDatagram = endpoint.Kind == IoEndpointKind.Udp;
        for (int attempt = 1; ; attempt++)
        {
            WindowsSocket socket = WindowsSocket.TryCreate(port, family, out int error, isDatagram) ?? throw Exception(error, endpoint.ToString());
            try
            {
                // Only effective before bind. With SO_REUSEADDR two processes could own the port, silently.
                Check(endpoint, socket.Set(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1));
                if (family == AF_INET6)
                    Check(endpoint, socket.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1));

                Bind(socket, endpoint);
                if (!isSpecific || !(_canShadow ??= CanShadow()) || Probe(family, socket.LocalPort, isDatagram) != WSAEADDRINUSE)
                {
                    Check(endpoint, isDatagram ? socket.PrepareDatagrams(isWildcard: !isSpecific) : ErrorUnless(listen(socket, SOMAXCONN) == 0));
                    Check(endpoint, port.Associate(socket));
                    return socket;
                }

                if (endpoint.Port != 0 || attempt == MaxAttemptsAtAnyPort)
                {
                    throw new IoException(
                        IoError.AddressInUse, WSAEADDRINUSE, $"{endpoint}: another socket listens on all addresses at this port, and would be shadowed.");
                }

                socket.Dispose();
            }
            catch (IoException)
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>Binds the wildcard of a family for a moment; returns the error.</summary>
    internal int Probe(ushort family, int number, bool isDatagram = false)
    {
        using WindowsSocket? probe = WindowsSocket.TryCreate(port, family, out int error, isDatagram);
        if (probe is null)
            return error;

        if (family == AF_INET6)
            _ = probe.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1);

        return probe.BindWildcard(number);
    }

    private static void Check(in IoEndpoint endpoint, int error)
    {
        if (error != 0)
            throw Exception(error, endpoint.ToString());
    }

    private void Bind(WindowsSocket socket, in IoEndpoint endpoint)
    {
        int error = socket.Bind(endpoint);
        if (error != WSAEACCES)
        {
            Check(endpoint, error);
            return;
        }

        // Another socket has the port exclusively, or nobody may have it. Windows has no privileged ports: where the wildcard is refused too,
        // the port is in a range that the system has excluded.
        (IoError meaning, string reason) = Probe(socket.Family, (int)endpoint.Port, endpoint.Kind == IoEndpointKind.Udp) switch
        {
            WSAEADDRINUSE => (IoError.AddressInUse, "another socket has this port on all addresses, for itself alone."),
            WSAEACCES => (IoError.AccessDenied,
                $"Windows refuses this port: it is in a range that the system has excluded (see 'netsh interface ipv4 show excludedportrange protocol={(endpoint.Kind == IoEndpointKind.Udp ? "udp" : "tcp")}')."),
            _ => (IoError.AccessDenied, "Windows refuses this address and port: another account's socket may have it."),
        };
        throw new IoException(meaning, error, $"{endpoint}: {reason}");
    }

    // Where the wildcard cannot be bound beside a single address (Wine), neither can the reverse: the bind itself has refused, and the probe
    // would only find our own socket. Tried once, on ports of our own.
    private bool CanShadow()
    {
        for (int trial = 0; trial < MaxTrials; trial++)
        {
            using WindowsSocket? own = WindowsSocket.TryCreate(port, AF_INET, out _);
            if (own is null
                || own.Set(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1) != 0
                || own.Bind(IoEndpoint.Tcp(IPAddress.Loopback, 0)) != 0
                || listen(own, 1) != 0
                || Probe(AF_INET, own.LocalPort) != WSAEADDRINUSE)
            {
                return true;
            }
        }

        return false;
    }
}
