using System.Net;
using System.Net.Sockets;
using RelayProtocol;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// Where the relay's target is. A host name is looked up at start, and in the background when a connection could not be made: no loop ever
/// waits for a name. For any thread.
/// </summary>
internal sealed class RelayTargetEndpoint
{
    private const int LookUpInterval = 1000;

    private static readonly IPAddress[] Either4First = [IPAddress.Loopback, IPAddress.IPv6Loopback];
    private static readonly IPAddress[] Either6First = [IPAddress.IPv6Loopback, IPAddress.Loopback];

    // In the order in which they are tried for a mapping of each family.
    private IPAddress[] _forFamily4 = [IPAddress.Loopback];
    private IPAddress[] _forFamily6 = [IPAddress.IPv6Loopback];
    private bool _isLookingUp;
    private long _nextLookUp;

    private RelayTargetEndpoint(RelayTarget target) => Target = target;

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

    /// <summary>How many addresses there are to try for a mapping.</summary>
    public int AddressCount(PortMapping mapping) => Addresses(mapping).Length;

    private bool IsName => Target.Host is not null && Target.HostAddress is null;

    /// <summary>Looks the target's host up, if it has one that is a name.</summary>
    /// <exception cref="RelayException">The name is not known.</exception>
    public static RelayTargetEndpoint Resolve(RelayTarget target)
    {
        RelayTargetEndpoint endpoint = new(target);
        if (target.Host is null)
            return endpoint;

        try
        {
            endpoint.SetAddresses(target.HostAddress is { } address ? [address] : Dns.GetHostAddresses(target.Host));
            return endpoint;
        }
        catch (SocketException e)
        {
            throw new RelayException(RelayErrorCode.HostUnreachable, $"{target}: the name {target.Host} is not known ({e.Message}); give an address or a name that this machine can look up");
        }
    }

    /// <summary>Where a connection of this mapping goes: to the guest's port itself, or to the agent.</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="attempt">Which address, from 0; beyond <see cref="AddressCount"/> the last.</param>
    public IoEndpoint For(PortMapping mapping, int attempt = 0) => Kind switch
    {
        IoEndpointKind.Tcp when mapping.Protocol == MapProtocol.Udp && !Target.HasAgent => IoEndpoint.Udp(AddressOf(mapping, attempt), mapping.GuestPort),
        IoEndpointKind.Tcp => IoEndpoint.Tcp(AddressOf(mapping, attempt), Target.HasAgent ? (int)Target.Port : mapping.GuestPort),
        IoEndpointKind.Unix => IoEndpoint.Unix(Target.Path!),
        IoEndpointKind.Vsock => IoEndpoint.Vsock(Target.Cid, Target.Port),
        _ => IoEndpoint.HvSocket(Target.VmId, Target.Port),
    };

    /// <summary>A connection could not be made: looks the name up again, at most once a second. What is found counts from the next connection on.</summary>
    public void LookUpAgain(IoLoop loop)
    {
        if (!IsName || Interlocked.Exchange(ref _isLookingUp, true))
            return;

        long now = Environment.TickCount64;
        if (now < _nextLookUp)
        {
            Volatile.Write(ref _isLookingUp, false);
            return;
        }

        _nextLookUp = now + LookUpInterval;
        _ = Task.Run(LookUp);

        void LookUp()
        {
            IPAddress[] found = [];
            try
            {
                found = Dns.GetHostAddresses(Target.Host!);
            }
            catch (SocketException)
            {
                // A name that is not known at the moment keeps its last addresses.
            }

            loop.Post(() =>
            {
                if (found.Length > 0)
                    SetAddresses(found);

                Volatile.Write(ref _isLookingUp, false);
            });
        }
    }

    /// <summary>The same, of a server itself only at its addresses of one family; null if it has none of these.</summary>
    public RelayTargetEndpoint? OfFamily(int family)
    {
        if (Target.HasAgent || Target.Host is null)
            return this;

        AddressFamily own = family == 6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        IPAddress[] addresses = Array.FindAll(InOrder(family), address => address.AddressFamily == own);
        return addresses.Length == 0 ? null : new RelayTargetEndpoint(Target) { _forFamily4 = addresses, _forFamily6 = addresses };
    }

    private IPAddress[] Addresses(PortMapping mapping) => (mapping.GuestFamily, Target) switch
    {
        (0, { Kind: RelayTargetKind.Direct, Host: null }) => mapping.Family == 6 ? Either6First : Either4First,
        (0, _) => InOrder(mapping.Family),
        var (family, _) => InOrder(family),
    };

    private IPAddress[] InOrder(int family) => family == 6 ? _forFamily6 : _forFamily4;

    private IPAddress AddressOf(PortMapping mapping, int attempt)
    {
        IPAddress[] addresses = Addresses(mapping);
        return addresses[Math.Min(attempt, addresses.Length - 1)];
    }

    // In the resolver's order. A server is reached at an address of the mapping's family first; the agent's own does not matter.
    private void SetAddresses(IPAddress[] addresses)
    {
        _forFamily4 = Target.HasAgent ? addresses : [.. addresses.OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork)];
        _forFamily6 = Target.HasAgent ? addresses : [.. addresses.OrderBy(address => address.AddressFamily != AddressFamily.InterNetworkV6)];
    }
}
