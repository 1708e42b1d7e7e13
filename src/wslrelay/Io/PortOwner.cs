using System.Net;

namespace Wslrelay.Io;

/// <summary>What the two systems' searches for the owner of a port have in common.</summary>
internal static class PortOwner
{
    /// <summary>Whether a listener occupies an address and port, so that nobody else can listen there.</summary>
    internal static bool Occupies(in ListeningSocket listener, IPEndPoint wanted)
    {
        IPAddress address = listener.Address;
        bool isOneFamily = address.AddressFamily == wanted.AddressFamily;
        return listener.Port == wanted.Port
            && (address.Equals(wanted.Address)
                || (isOneFamily && (IsWildcard(address) || IsWildcard(wanted.Address)))
                || (!isOneFamily && address.Equals(IPAddress.IPv6Any) && !listener.IsVersion6Only));
    }

    /// <summary>The owner, and its address if that is not the one that was wanted.</summary>
    internal static string Describe(string process, in ListeningSocket socket, IPAddress wanted) =>
        socket.Address.Equals(wanted) ? process : $"{process}, which has {new IPEndPoint(socket.Address, socket.Port)}";

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
