using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>Opens listeners that neither share their address and port with another socket nor shadow one. Loop thread only.</summary>
[SupportedOSPlatform("windows")]
internal sealed class ListenerFactory(CompletionPort port)
{
    private const int MaxAttemptsAtAnyPort = 8;

    private readonly WildcardShadow _shadow = new(port);

    /// <summary>Opens, binds, listens and associates.</summary>
    /// <exception cref="IoException">The system says no.</exception>
    internal WindowsSocket Listen(in IoEndpoint endpoint)
    {
        if (endpoint.Kind != IoEndpointKind.Tcp)
            throw new IoException(IoError.NotSupported, 0, $"{endpoint}: on Windows only TCP can be listened on.");

        ListenAddress.Check(endpoint);
        for (int attempt = 1; ; attempt++)
        {
            WindowsSocket socket = Open(endpoint);
            try
            {
                Bind(socket, endpoint);
                if (IsSpecific(endpoint) && _shadow.IsCast(socket.Family, socket.LocalPort))
                {
                    if (endpoint.Port == 0 && attempt < MaxAttemptsAtAnyPort)
                    {
                        socket.Dispose();
                        continue;
                    }

                    throw new IoException(
                        IoError.AddressInUse, WSAEADDRINUSE, $"{endpoint}: another socket listens on all addresses at this port, and would be shadowed.");
                }

                Check(endpoint, listen(socket, SOMAXCONN) == 0 ? 0 : Marshal.GetLastPInvokeError());
                Check(endpoint, port.Associate(socket));
                return socket;
            }
            catch (IoException)
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static bool IsSpecific(in IoEndpoint endpoint) =>
        !endpoint.Address!.Equals(IPAddress.Any) && !endpoint.Address.Equals(IPAddress.IPv6Any);

    private static void Check(in IoEndpoint endpoint, int error)
    {
        if (error != 0)
            throw Exception(error, endpoint.ToString());
    }

    private WindowsSocket Open(in IoEndpoint endpoint)
    {
        ushort family = SocketAddress.FamilyOf(endpoint)!.Value;
        WindowsSocket socket = WindowsSocket.TryCreate(port, family, out int error) ?? throw Exception(error, endpoint.ToString());

        // Only effective before bind. With SO_REUSEADDR two processes could own the port, silently.
        error = socket.Set(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
        if (error == 0 && family == AF_INET6)
            error = socket.Set(IPPROTO_IPV6, IPV6_V6ONLY, 1);

        if (error != 0)
        {
            socket.Dispose();
            throw Exception(error, endpoint.ToString());
        }

        return socket;
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
        throw _shadow.Probe(socket.Family, (int)endpoint.Port) switch
        {
            WSAEADDRINUSE => new IoException(
                IoError.AddressInUse, error, $"{endpoint}: another socket has this port on all addresses, for itself alone."),
            WSAEACCES => new IoException(
                IoError.AccessDenied,
                error,
                $"{endpoint}: Windows refuses this port: it is in a range that the system has excluded (see 'netsh interface ipv4 show excludedportrange protocol=tcp')."),
            _ => new IoException(IoError.AccessDenied, error, $"{endpoint}: Windows refuses this address and port: another account's socket may have it."),
        };
    }
}
