using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Connects with connect(2), non-blocking; SO_ERROR tells the outcome once the socket is writable.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Connect(EpollPort port, in IoEndpoint endpoint, IIoOwner owner) : ConnectOperation(endpoint, owner)
{
    private EpollHandle? _socket;

    // It has its options, and may be in another network than this process.
    private bool IsGiven => Unconnected is not null;

    protected internal override void Schedule()
    {
        try
        {
            _socket = (EpollHandle?)Unconnected ?? port.OpenConnection(Endpoint, IsOfFlow);
            if (Endpoint.Kind == IoEndpointKind.Tcp && !IsGiven)
                TcpOptions.ApplyToConnection(_socket, Endpoint);

            int error = _socket.Connect(Endpoint);
            if (error == Errno.EINPROGRESS && Endpoint.IsLoopback && (IsToPass || IsGiven || !port.Calls.IsBatching) && _socket.HasPeer)
            {
                // On loopback the handshake is mostly complete when connect returns: asking saves a wait. In a batch the next wait comes at once
                // anyway, but a given socket has little time. A second connect(2) would tell too, but of a peer that has reset meanwhile it discards what was received.
                error = 0;
            }

            if (error == Errno.EAGAIN && Endpoint.Kind == IoEndpointKind.Unix)
            {
                // The listener's backlog is full (connect(2), EAGAIN): tried again until the owner cancels.
                _socket.Close(abort: false);
                _socket = null;
                port.RetryLater(this);
                Pend();
                return;
            }

            if (error == 0 && _socket.IsSelfConnected(Endpoint, IsGiven))
                error = Errno.ECONNREFUSED;

            bool isPending = error == Errno.EINPROGRESS;
            if (isPending)
            {
                _socket.MarkNotWritable();
                error = 0;
            }

            // Only now: an unconnected socket would be reported as hung up.
            _socket.Writer = this;
            if (error == 0 && (isPending || !IsToPass))
            {
                error = port.Register(_socket);
                if (error == 0 && Endpoint.Kind == IoEndpointKind.Tcp)
                    port.Keepalive.Add(_socket);
            }

            if (error != 0)
                Complete(Errno.ToIoError(error), error);
            else if (isPending)
                Pend();
            else
                Succeed();
        }
        catch (IoException e)
        {
            Complete(e.Error, e.NativeError);
        }
    }

    protected internal override void Collect(in IoEvent wake)
    {
        // The server already has the connection of a given socket for which the owner's time is over.
        bool isLate = IsGiven && CancelReason == IoError.TimedOut && _socket is { HasPeer: true };
        if (CancelReason != IoError.None && !isLate)
        {
            Complete(IoError.Cancelled, 0);
            return;
        }

        if (_socket is null)
        {
            Schedule();
            return;
        }

        if (!_socket.Writable && !isLate)
            return;

        // Writable and not broken is connected. TCP refuses with ECONNREFUSED; a reset came after the handshake, and what the peer sent before
        // it can still be received.
        int error = _socket.Broken ? _socket.TakeError() : 0;
        bool wasConnected = Endpoint.Kind == IoEndpointKind.Tcp && error is Errno.ECONNRESET or Errno.EPIPE;
        if (error != 0 && !wasConnected)
            Complete(Errno.ToIoError(error), error);
        else if (_socket.IsSelfConnected(Endpoint, IsGiven))
            Complete(IoError.ConnectionRefused, Errno.ECONNREFUSED);
        else
            Succeed();
    }

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        _socket ??= (EpollHandle?)Unconnected;
        Unconnected = null;
        if (_socket is not null)
        {
            _socket.Writer = null;
            if (Socket is null)
                _socket.Close(abort: true);

            _socket = null;
        }

        base.OnCompleted();
    }

    private void Succeed()
    {
        Socket = _socket;
        Complete();
    }
}
