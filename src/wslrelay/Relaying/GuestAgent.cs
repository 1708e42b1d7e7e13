using System.Net;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The guest's side: listens for the relay, and takes each of its connections to a server on this machine's loopback. Loop thread only.
/// </summary>
internal sealed class GuestAgent : IAcceptOwner, IRelayOwner
{
    private const uint LocalCid = 1;
    private const uint HostCid = 2;

    private readonly bool _allowAnyCid;
    private IoSocket? _listener;

    /// <param name="loop">The loop that runs it.</param>
    /// <param name="log">Its log.</param>
    /// <param name="allowAnyCid">Whether other virtual machines may connect over vsock.</param>
    /// <param name="loopback">In place of 127.0.0.1, where a guest is only played: its servers are those on this address of the machine, and no others.</param>
    public GuestAgent(IoLoop loop, RelayLog log, bool allowAnyCid, IPAddress? loopback = null)
    {
        Loop = loop;
        Log = log;
        _allowAnyCid = allowAnyCid;
        SetUps = new SetUpPool<GuestSetUp>(() => new GuestSetUp(this));
        Loopback = loopback ?? IPAddress.Loopback;
        Listeners = new ListenerWatch(loop, Loopback);
    }

    public IoLoop Loop { get; }

    public RelayLog Log { get; }

    public SetUpPool<GuestSetUp> SetUps { get; }

    public IPAddress Loopback { get; }

    /// <summary>Tells relays what listens in this guest.</summary>
    public ListenerWatch Listeners { get; }

    public ByteCounter ToTarget { get; } = new();

    public ByteCounter ToClient { get; } = new();

    /// <summary>Whether a connected server's socket can be passed to the relay: both are then processes of one kernel.</summary>
    public bool CanPass { get; private set; }

    /// <summary>Whether the link hides resets, so that a relay may ask for the end to be marked.</summary>
    public bool CanMarkEnds { get; private set; }

    /// <summary>Milliseconds for a preamble to be complete, and for a server to answer.</summary>
    public int SetUpTimeout { get; init; } = 10_000;

    /// <summary>Milliseconds for which what a refused relay still sends is read and dropped.</summary>
    public int RefusalTimeout { get; init; } = 5_000;

    /// <summary>Called when accepting has failed for good and the reason is logged: an agent that accepts nothing must not live on.</summary>
    public Action? AcceptFailed { get; init; }

    /// <summary>Listens and begins to accept. Returns the port really bound, for TCP.</summary>
    /// <exception cref="IoException">The system does not give the endpoint.</exception>
    public int Listen(IoEndpoint endpoint)
    {
        _listener = Loop.Port.Listen(endpoint);
        Loop.Garbage.Collecting += SetUps.Trim;
        CanPass = endpoint.Kind == IoEndpointKind.Unix;
        CanMarkEnds = endpoint.Kind != IoEndpointKind.Tcp;
        if (!CanMarkEnds)
            _listener.ResetConnectionsOnDeath();

        Listeners.Own = endpoint.Address is { } address ? (address, _listener.LocalPort) : null;
        Loop.Start(Loop.Port.Accept(_listener, this));
        return _listener.LocalPort;
    }

    public void Accepted(IoSocket socket)
    {
        if (!_allowAnyCid && socket.PeerCid is { } cid and not (LocalCid or HostCid))
        {
            Log.CidRefused(cid);
            socket.Close(abort: true);
            return;
        }

        new Relay(this, socket, SetUps.Rent()).Start();
    }

    public void Completed(IoOperation operation)
    {
        _listener!.Close(abort: false);
        if (operation.Error != IoError.Cancelled)
        {
            Log.AgentFailed(operation.Error.Describe(operation.NativeError));
            AcceptFailed?.Invoke();
        }
    }
}
