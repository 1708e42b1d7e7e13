using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Whether anybody listens at a loopback port. Tells a closed port from a full backlog: to a connect Windows refuses both. The system's
/// table is read at most once in 100 ms, whatever is asked. Loop thread only.
/// </summary>
internal sealed class LoopbackListeners
{
    private const int MaxAgeMilliseconds = 100;

    private readonly HashSet<IPEndPoint> _listeners = [];
    private long _readAt = -MaxAgeMilliseconds;

    /// <summary>Lets a test answer in the system's place.</summary>
    internal Func<IoEndpoint, bool>? Override { get; set; }

    internal bool Contains(in IoEndpoint endpoint)
    {
        if (Override is not null)
            return Override(endpoint);

        if (Environment.TickCount64 - _readAt >= MaxAgeMilliseconds)
            Read();

        IPAddress any = endpoint.Address!.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        int number = (int)endpoint.Port;
        return _listeners.Contains(new IPEndPoint(endpoint.Address, number)) || _listeners.Contains(new IPEndPoint(any, number));
    }

    private void Read()
    {
        _readAt = Environment.TickCount64;
        try
        {
            _listeners.Clear();
            foreach (IPEndPoint listener in IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners())
            {
                // Wine gives even ::1 a scope.
                IPAddress address = listener.Address.IsIPv6LinkLocal ? listener.Address : new IPAddress(listener.Address.GetAddressBytes());
                _listeners.Add(new IPEndPoint(address, listener.Port));
            }
        }
        catch (NetworkInformationException)
        {
            // Unknown: a refusal is taken for what it says.
        }
    }
}
