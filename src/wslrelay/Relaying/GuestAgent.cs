using System.Net;
using Wslrelay.Diagnostics;
using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>
/// The guest's side: listens for the relay, and takes each of its connections to a server on this machine's loopback. For the thread of the loop that listens.
/// </summary>
internal sealed class GuestAgent : IAcceptOwner
{
    private const uint LocalCid = 1;
    private const uint HostCid = 2;

    private readonly bool _allowAnyCid;
    private readonly Relays?[] _relays;
    private readonly SetUpPools<GuestSetUp> _setUps;
    private IoSocket? _listener;

    /// <summary>
    /// With <paramref name="allowAnyCid"/> other virtual machines may connect over vsock. <paramref name="loopback"/>, of a simulated guest, takes the place of 127.0.0.1:
    /// the guest's servers are those on this address of the machine, and no others.
    /// </summary>
    public GuestAgent(IoLoop loop, RelayLog log, bool allowAnyCid, IPAddress? loopback = null)
    {
        Loop = loop;
        Log = log;
        _allowAnyCid = allowAnyCid;
        Loopback = loopback ?? IPAddress.Loopback;
        _setUps = new SetUpPools<GuestSetUp>(loop, (own, pool) => new GuestSetUp(this, own, pool));
        _relays = new Relays?[loop.Group?.Count ?? 1];
        Listeners = new ListenerWatch(loop, Loopback);
    }

    public IoLoop Loop { get; }

    public RelayLog Log { get; }

    public SetUpPool<GuestSetUp> SetUps => _setUps.Of(Loop);

    public IPAddress Loopback { get; }

    /// <summary>Tells relays what listens in this guest.</summary>
    public ListenerWatch Listeners { get; }

    /// <summary>Whether a connected server's socket can be passed to the relay: both are then processes of one kernel.</summary>
    public bool CanPass { get; private set; }

    /// <summary>Whether relays may connect to servers themselves: not to a simulated guest's, which are not on 127.0.0.1.</summary>
    public bool GivesSpares => Loopback.Equals(IPAddress.Loopback);

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
        CanPass = endpoint.Kind == IoEndpointKind.Unix;
        CanMarkEnds = endpoint.Kind != IoEndpointKind.Tcp;
        if (!CanMarkEnds)
            _listener.ResetConnectionsOnDeath();

        Listeners.Own = endpoint.Address is { } address ? (address, _listener.LocalPort) : null;
        Loop.Start(Loop.Port.Accept(_listener, this));
        return _listener.LocalPort;
    }

    public IoLoop? LoopOfNext => Loop.Group?.Choose();

    public void Accepted(IoSocket socket)
    {
        Loop.BegunCount++;
        On(Loop).Adopted(socket);
    }

    public void AcceptedFor(IoLoop loop, IoSocket socket) => Loop.Group!.Give(loop, socket, On(loop));

    private Relays On(IoLoop loop) => _relays[loop.Index] ??= new Relays(this, loop);

    public void Completed(IoOperation operation)
    {
        _listener!.Close(abort: false);
        if (operation.Error != IoError.Cancelled)
        {
            Log.AgentFailed(operation.Error.Describe(operation.NativeError));
            AcceptFailed?.Invoke();
        }
    }

    // The connections of one loop. Its thread only.
    private sealed class Relays(GuestAgent agent, IoLoop loop) : IRelayOwner, IAdopter
    {
        public IoLoop Loop => loop;

        public ByteCounter ToTarget => field ??= new ByteCounter();

        public ByteCounter ToClient => field ??= new ByteCounter();

        public void Adopted(IoSocket socket)
        {
            if (!agent._allowAnyCid && socket.PeerCid is { } cid and not (LocalCid or HostCid))
            {
                agent.Log.CidRefused(cid);
                socket.Close(abort: true);
                NotAdopted();
                return;
            }

            new Relay(this, socket, agent._setUps.Of(loop).Rent()).Start();
        }

        public void NotAdopted() => loop.EndedCount++;

        // A flood of flows that end before they are set up leaves as much behind as one of flows.
        public void Ended(Relay relay, bool failed)
        {
            loop.EndedCount++;
            if (failed)
                loop.Garbage.Add(1);
        }
    }
}
