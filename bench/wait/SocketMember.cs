using System.Net.Sockets;
using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>A connected socket of the port, to which its peer, a socket of the framework's, sends a byte.</summary>
internal sealed class SocketMember : RingMember
{
    private static readonly byte[] _byte = [1];

    private readonly IoSocket _socket;
    private readonly Socket _peer;
    private readonly TransferOperation _receive;

    /// <summary>Takes both ends of a connection.</summary>
    internal SocketMember(Ring ring, IoPort port, IoSocket socket, Socket peer)
        : base(ring)
    {
        _socket = socket;
        _peer = peer;
        _receive = port.Receive(socket, this);
        _receive.Buffer = GC.AllocateUninitializedArray<byte>(64, pinned: true);
    }

    /// <inheritdoc/>
    internal override IoOperation Operation => _receive;

    /// <inheritdoc/>
    internal override void Fire() => _ = _peer.Send(_byte);

    /// <inheritdoc/>
    internal override bool Take() => _receive.BytesTransferred == 1;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _socket.Close(abort: true);
        _peer.Dispose();
    }
}
