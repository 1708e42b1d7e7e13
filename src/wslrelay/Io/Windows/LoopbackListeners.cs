using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Whether anybody listens at a loopback port. Tells a closed port from a full backlog: to a connect Windows refuses both. The system's
/// table is read at most once in 100 ms, whatever is asked. Loop thread only.
/// </summary>
internal sealed class LoopbackListeners
{
    private const int MaxAgeMilliseconds = 100;

    private readonly ListenerTable _table = new();
    private readonly List<ListeningSocket> _listeners = [];
    private long _readAt = -MaxAgeMilliseconds;

    /// <summary>Lets a test answer in the system's place.</summary>
    internal Func<IoEndpoint, bool>? Override { get; set; }

    internal bool Contains(in IoEndpoint endpoint)
    {
        if (Override is not null)
            return Override(endpoint);

        if (Environment.TickCount64 - _readAt >= MaxAgeMilliseconds)
        {
            // Where it cannot be read, a refusal is taken for what it says.
            _readAt = Environment.TickCount64;
            _ = _table.Read(_listeners);
        }

        (IPAddress address, uint port) = (endpoint.Address!, endpoint.Port);
        IPAddress any = address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        return _listeners.Exists(listener => listener.Port == port && (listener.Address.Equals(address) || listener.Address.Equals(any)));
    }
}
