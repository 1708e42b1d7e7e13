using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Io;

/// <summary>Rejects addresses that no listener can have, with the reason; the systems answer some of them with EINVAL, or accept them and never connect.</summary>
internal static class ListenAddress
{
    /// <exception cref="IoException"><see cref="IoError.AddressNotAvailable"/>, with the reason.</exception>
    internal static void Check(in IoEndpoint endpoint)
    {
        if (endpoint.Address is { } address && Reason(address) is { } reason)
            throw new IoException(IoError.AddressNotAvailable, 0, $"{address} {reason}");
    }

    private static string? Reason(IPAddress address)
    {
        int first = address.AddressFamily == AddressFamily.InterNetwork ? address.GetAddressBytes()[0] : 0;
        return first is >= 224 and <= 239 || address.IsIPv6Multicast ? "is a multicast address: it cannot be listened on"
            : first >= 240 ? "is a broadcast or reserved address: it cannot be listened on"
            : address.IsIPv6LinkLocal && address.ScopeId == 0
                ? "is a link-local address, which is incomplete without its interface: listen on another address of this machine"
            : null;
    }
}
