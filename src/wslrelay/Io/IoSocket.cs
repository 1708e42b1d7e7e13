namespace Wslrelay.Io;

/// <summary>A socket that this process made and that belongs to one port for life. Owned by the loop thread.</summary>
internal abstract class IoSocket : IoHandle
{
    /// <summary>The port number a TCP listener is really bound to.</summary>
    public abstract int LocalPort { get; }

    /// <summary>
    /// The context id of a vsock peer; null for every other family. Says who connected, before anything is believed of it.
    /// </summary>
    public virtual uint? PeerCid => null;

    /// <summary>Ends the sending side; what was sent still arrives. False if the peer is gone already.</summary>
    public abstract bool ShutdownSend();
}
