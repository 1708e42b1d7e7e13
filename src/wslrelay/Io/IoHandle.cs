using System.Net;
using System.Runtime.InteropServices;

namespace Wslrelay.Io;

/// <summary>A socket or pipe that can be received from and sent to. Owned by the loop thread; the finalizer closes what was forgotten.</summary>
internal abstract class IoHandle(bool ownsHandle = true) : SafeHandle(-1, ownsHandle)
{
    public override bool IsInvalid => handle == -1;

    /// <summary>The system has reported that the other side has ended its sending, although not all of it may have been received.</summary>
    public virtual bool HasEnded => false;

    /// <summary>
    /// Closes it, after every operation on it has completed. Without <paramref name="abort"/> what was sent still arrives, followed by
    /// the end of the stream; with it unsent data is discarded and the peer gets a reset, where the family has one.
    /// </summary>
    public abstract void Close(bool abort);
}

/// <summary>A socket that this process made; it belongs to one port for life. Owned by the loop thread.</summary>
internal abstract class IoSocket(bool ownsHandle = true) : IoHandle(ownsHandle)
{
    /// <summary>The port that a TCP or UDP socket is bound to.</summary>
    public abstract int LocalPort { get; }

    /// <summary>The address that a TCP connection was made to or from; null once it is reset, and for every other family.</summary>
    public virtual IPEndPoint? LocalEndPoint => null;

    /// <inheritdoc cref="LocalEndPoint"/>
    public virtual IPEndPoint? RemoteEndPoint => null;

    /// <summary>Bytes that a TCP connection has received from its peer and sent to it, as the system counts them; null where it does not.</summary>
    public virtual (long? Received, long? Sent) ByteCounts => default;

    /// <summary>The context id of a vsock peer; null for every other family. Identifies the peer before any data is trusted.</summary>
    public virtual uint? PeerCid => null;

    /// <summary>Datagrams that have come and found no room to wait in, where the system counts them.</summary>
    public virtual long DroppedDatagrams => 0;

    /// <summary>Nothing has come that was not received yet, neither bytes nor the end. Asks the system.</summary>
    public virtual bool IsQuiet => false;

    /// <summary>Of a TCP listener: if this process dies, the system resets what it accepts from now on, where it would end it cleanly.</summary>
    public virtual void ResetConnectionsOnDeath()
    {
    }

    /// <summary>Shuts down the sending side; what was sent still arrives. False if the socket is not connected any more.</summary>
    public abstract bool ShutdownSend();
}
