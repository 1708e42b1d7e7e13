using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Receives datagrams, edge-triggered, one batch at a time, so that no socket holds up the others.</summary>
[SupportedOSPlatform("linux")]
internal sealed class DatagramReceive(EpollPort port, EpollHandle socket, IDatagramOwner owner) : IoOperation(owner)
{
    protected internal override void Schedule()
    {
        if (socket.Reader == this)
        {
            // Again, after a full batch.
            Receive();
            return;
        }

        socket.Reader = this;
        int error = port.Register(socket, Libc.EPOLLIN | Libc.EPOLLET);
        if (error == 0)
            Pend();
        else
            Complete(Errno.ToIoError(error), error);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else
            Receive();
    }

    protected internal override void CancelPending() => port.WakeOperation(this);

    protected internal override void OnCompleted()
    {
        socket.Reader = null;
        base.OnCompleted();
    }

    private void Receive()
    {
        int error = 0;
        DatagramReceiver receiver = port.DatagramReceiver;
        Pend();
        while (true)
        {
            int result = receiver.Receive(socket);
            if (result > 0)
                owner.Received(receiver.Batch);

            // An error of a socket without a peer concerns one datagram that was sent; of one with a peer, what came before it is still to be had.
            if (result >= 0 && error == 0)
            {
                // Only a batch that is not full has emptied the socket.
                if (result == DatagramBatch.Capacity)
                    Yield();

                return;
            }

            if (result < 0 && (result == -Errno.EAGAIN || error != 0))
                break;

            error = result < 0 ? -result : error;
        }

        if (error != 0 && socket.IsConnection)
            Complete(Errno.ToIoError(error), error);
    }
}
