using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Wslrelay.Io;

/// <summary>A listening TCP socket of this machine, or a UDP socket that receives from anybody.</summary>
/// <param name="Address">IPv4 or IPv6, never an IPv4-mapped one.</param>
/// <param name="Port">The port.</param>
/// <param name="IsVersion6Only">Of an IPv6 one: it takes no IPv4 connections. False where the system does not tell.</param>
/// <param name="Id">Tells the socket from others that listen there before or after it; 0 where the system does not tell.</param>
/// <param name="User">The number of the user that made it; null where the system does not tell.</param>
/// <param name="IsUdp">It receives datagrams.</param>
internal readonly record struct ListeningSocket(IPAddress Address, int Port, bool IsVersion6Only = false, ulong Id = 0, uint? User = null, bool IsUdp = false);

/// <summary>The listening sockets of this machine, as .NET reports them on any system. Its calls block: one thread, which is not the loop's.</summary>
internal class ListenerTable
{
    /// <summary>Replaces the list's content; null on success, else what went wrong. With <paramref name="udp"/> also the sockets that receive datagrams.</summary>
    public virtual IoException? Read(List<ListeningSocket> listeners, bool udp = false)
    {
        listeners.Clear();
        try
        {
            IPGlobalProperties system = IPGlobalProperties.GetIPGlobalProperties();
            foreach (IPEndPoint listener in system.GetActiveTcpListeners())
                listeners.Add(new ListeningSocket(Plain(listener.Address), listener.Port));

            foreach (IPEndPoint receiver in udp ? system.GetActiveUdpListeners() : [])
                listeners.Add(new ListeningSocket(Plain(receiver.Address), receiver.Port, IsUdp: true));

            return null;
        }
        catch (Exception e) when (e is NetworkInformationException or IOException or UnauthorizedAccessException)
        {
            return new IoException(IoError.NotSupported, 0, e.Message);
        }
    }

    /// <summary>Adds the names of the programs that hold these sockets, by their ids, as far as this process may know them.</summary>
    public virtual void FindPrograms(HashSet<ulong> ids, Dictionary<ulong, string> programs)
    {
    }

    /// <summary>An IPv6 socket that is bound to an IPv4-mapped address listens on the IPv4 address. Wine gives even ::1 a scope.</summary>
    protected static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv6LinkLocal: false, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes())
        : address;
}
