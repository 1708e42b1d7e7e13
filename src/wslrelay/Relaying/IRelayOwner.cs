using Wslrelay.Io;

namespace Wslrelay.Relaying;

/// <summary>What accepts connections and relays them: a mapping at the host, the agent in the guest. Loop thread only.</summary>
internal interface IRelayOwner
{
    IoLoop Loop { get; }

    /// <summary>Counts the bytes that targets have taken.</summary>
    ByteCounter ToTarget { get; }

    /// <summary>Counts the bytes that clients have taken.</summary>
    ByteCounter ToClient { get; }

    /// <summary>A connection that was set up broke: reset by a peer, or timed out.</summary>
    void ConnectionBroke(IoError error);

    /// <summary>A connection has ended and both its sockets are closed. <paramref name="failed"/>: it was never set up.</summary>
    void Ended(Relay relay, bool failed);
}
