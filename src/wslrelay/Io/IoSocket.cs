namespace Wslrelay.Io;

/// <summary>A socket that this process made; it belongs to one port for life. Owned by the loop thread.</summary>
internal abstract class IoSocket : IoHandle
{
    /// <summary>The port number a TCP listener is bound to.</summary>
    public abstract int LocalPort { get; }

    /// <summary>The context id of a vsock peer; null for every other family. Identifies the peer before any data is trusted.</summary>
    public virtual uint? PeerCid => null;

    /// <summary>
    /// Of a TCP listener: the system resets the connections that it accepts from now on if this process dies, where it would end them cleanly.
    /// </summary>
    public virtual void ResetConnectionsOnDeath()
    {
    }

    /// <summary>Shuts down the sending side; what was sent still arrives. False if the socket is not connected any more.</summary>
    public abstract bool ShutdownSend();
}
