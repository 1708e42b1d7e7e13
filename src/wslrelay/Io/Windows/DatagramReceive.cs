using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Receives datagrams: waits by a poll, which holds no memory, and then takes what has come, up to a batch, without waiting. A receive in flight would hold
/// 64 KiB for each socket, idle or not. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class DatagramReceive(CompletionPort port, WindowsSocket socket, IDatagramOwner owner) : IoOperation(owner)
{
    private readonly SocketPoll _poll = new(port, Interop.Ntdll.AFD_POLL_RECEIVE);

    protected internal override void Schedule()
    {
        Pend();
        Poll();
    }

    protected internal override void Collect(in IoEvent wake)
    {
        // Whatever the poll has ended with, a receive that does not wait tells what is the matter.
        int error = CancelReason == IoError.None ? port.Datagrams.Receive(socket) : 0;
        if (CancelReason == IoError.None && port.Datagrams.Batch.Count > 0)
            owner.Received(port.Datagrams.Batch);

        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else if (error == 0)
            Poll();
        else
            Complete(error is WSAECONNRESET or ERROR_PORT_UNREACHABLE ? IoError.ConnectionRefused : ToIoError(error), error);
    }

    protected internal override unsafe void CancelPending() => _ = Interop.Kernel32.CancelIoEx(socket, _poll.Overlapped);

    protected internal override void OnCompleted()
    {
        _poll.Free();
        base.OnCompleted();
    }

    private void Poll()
    {
        if (!_poll.TryStart(socket, this))
            Complete(IoError.NotSupported, 0);
    }
}
