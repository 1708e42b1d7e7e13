using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Where the relay's target lies, resolved once at the start: the loop never waits for a name. Immutable.
/// </summary>
internal sealed class RelayTargetEndpoint
{
    private readonly IPAddress[] _addresses;

    private RelayTargetEndpoint(RelayTarget target, IPAddress[] addresses) => (Target, _addresses) = (target, addresses);

    /// <summary>The target, as it was given.</summary>
    public RelayTarget Target { get; }

    /// <summary>The kind of socket that reaches it.</summary>
    public IoEndpointKind Kind => Target.Kind switch
    {
        RelayTargetKind.Direct or RelayTargetKind.Tcp => IoEndpointKind.Tcp,
        RelayTargetKind.Unix or RelayTargetKind.Firecracker => IoEndpointKind.Unix,
        RelayTargetKind.VSock => IoEndpointKind.Vsock,
        _ => IoEndpointKind.HvSocket,
    };

    /// <summary>Looks the target's host up, if it has one that is a name.</summary>
    /// <exception cref="RelayException">The name is not known.</exception>
    public static RelayTargetEndpoint Resolve(RelayTarget target)
    {
        if (target.Host is null)
        {
            return new RelayTargetEndpoint(target, []);
        }

        try
        {
            IPAddress[] addresses = target.HostAddress is { } address ? [address] : Dns.GetHostAddresses(target.Host);
            return new RelayTargetEndpoint(target, addresses);
        }
        catch (SocketException e)
        {
            throw new RelayException(RelayErrorCode.HostUnreachable, $"{target}: the name {target.Host} is not known ({e.Message}); give an address or a name that this machine can look up");
        }
    }

    /// <summary>Where a connection of this mapping goes: to the guest's port itself, or to the agent.</summary>
    public IoEndpoint For(PortMapping mapping) => Kind switch
    {
        IoEndpointKind.Tcp => IoEndpoint.Tcp(HostFor(mapping.Family), Target.HasAgent ? (int)Target.Port : mapping.GuestPort),
        IoEndpointKind.Unix => IoEndpoint.Unix(Target.Path!),
        IoEndpointKind.Vsock => IoEndpoint.Vsock(Target.Cid, Target.Port),
        _ => IoEndpoint.HvSocket(Target.VmId, Target.Port),
    };

    private IPAddress HostFor(int family)
    {
        AddressFamily wanted = family == 6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        foreach (IPAddress address in _addresses)
        {
            if (address.AddressFamily == wanted)
            {
                return address;
            }
        }

        return _addresses.Length > 0 ? _addresses[0]
            : family == 6 ? IPAddress.IPv6Loopback
            : IPAddress.Loopback;
    }
}
