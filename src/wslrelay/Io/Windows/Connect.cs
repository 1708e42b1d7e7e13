using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Connects a new socket by ConnectEx, over TCP or a Hyper-V socket. A loopback port that refuses although somebody listens there has a full
/// backlog, and is tried again every 100 ms until the owner's deadline. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Connect(CompletionPort port, in IoEndpoint endpoint, IIoOwner owner) : ConnectOperation(endpoint, owner)
{
    // The connection outlives a suspend of the virtual machine. The time-out, in milliseconds, is longer than the relay's own deadline: without it
    // a guest that does not answer holds a connect for minutes.
    internal static readonly (int Option, int Value)[] HvOptions = [(HVSOCKET_CONNECTED_SUSPEND, 1), (HVSOCKET_CONNECT_TIMEOUT, 30_000)];

    private OverlappedSlot? _slot;
    private WindowsSocket? _socket; // null while it waits for its next try
    private ActionTimer? _retry;

    protected internal override void Schedule()
    {
        if (SocketAddress.FamilyOf(Endpoint) is not { } family)
        {
            Complete(IoError.NotSupported, 0);
            return;
        }

        _slot ??= port.RentSlot();
        _socket = WindowsSocket.TryCreate(port, family, out int error);
        error = _socket is null ? error : Start(_socket);
        if (error == 0)
            Pend();
        else
            OnFailed(error);
    }

    protected internal override void Collect(in IoEvent wake)
    {
        if (CancelReason != IoError.None)
            Complete(IoError.Cancelled, 0);
        else if (_socket is null)
            Schedule();
        else if (wake.NativeError != 0)
            OnFailed(wake.NativeError);
        else
            OnConnected(_socket);
    }

    protected internal override void CancelPending()
    {
        if (_socket is not null)
        {
            _ = Kernel32.CancelIoEx(_socket, _slot!.Overlapped);
        }
        else if (_retry!.Index >= 0)
        {
            // Else it has expired, and its packet is on its way.
            port.Timers.Stop(_retry);
            _slot!.Wake(this);
        }
    }

    protected internal override void OnCompleted()
    {
        port.ReturnSlot(ref _slot);
        _socket?.Close(abort: true);
        _socket = null;
        base.OnCompleted();
    }

    private void OnConnected(WindowsSocket socket)
    {
        // Without its context, shutdown would fail, and half-close with it. It may fail where the peer was faster to reset, and what that had
        // sent is still to be read.
        _ = setsockopt(socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null, 0);
        if (socket.IsSelfConnected)
        {
            Complete(IoError.ConnectionRefused, WSAECONNREFUSED);
            return;
        }

        Socket = socket;
        _socket = null;
        Complete();
    }

    private void OnFailed(int error)
    {
        IoError meaning = ToIoError(error);
        if (meaning != IoError.ConnectionRefused || !Endpoint.IsLoopback || !port.LoopbackListeners.Contains(Endpoint))
        {
            Complete(meaning, error);
            return;
        }

        _socket?.Close(abort: true);
        _socket = null;
        _retry ??= new ActionTimer(() => _slot!.Wake(this));
        port.Timers.Start(_retry, CompletionPort.RetryMilliseconds);
        Pend();
    }

    /// <summary>Returns 0 if a packet will come.</summary>
    private int Start(WindowsSocket socket)
    {
        int error = SetOptions(socket);

        // ConnectEx needs a bound socket.
        if (error == 0)
            error = socket.BindWildcard();

        if (error == 0)
            error = port.Associate(socket);

        if (error != 0 || port.Extensions(socket, out error) is not { } extensions)
            return error;

        byte* name = stackalloc byte[SocketAddress.MaxLength];
        int length = SocketAddress.Encode(Endpoint, new Span<byte>(name, SocketAddress.MaxLength));
        error = extensions.ConnectEx(socket, name, length, _slot!.Lend(this));
        return _slot.AwaitsPacket(error) ? 0 : error;
    }

    private int SetOptions(WindowsSocket socket)
    {
        int error = 0;
        if (socket.Family == AF_HYPERV)
        {
            foreach ((int option, int value) in HvOptions)
                error = error == 0 ? socket.Set(HV_PROTOCOL_RAW, option, value) : error;
        }
        else
        {
            socket.SetConnectionOptions();
            if (Endpoint.IsLoopback)
                DisableSynRetransmissions(socket);
        }

        return error;
    }

    // After a refusal Windows sends its SYN again for some two seconds. On loopback the first refusal counts. Failure costs only time.
    private static void DisableSynRetransmissions(WindowsSocket socket)
    {
        TCP_INITIAL_RTO_PARAMETERS parameters;
        parameters.Rtt = TCP_INITIAL_RTO_UNSPECIFIED_RTT;
        parameters.MaxSynRetransmissions = TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS;
        uint returned;
        _ = WSAIoctl(socket, SIO_TCP_INITIAL_RTO, &parameters, (uint)sizeof(TCP_INITIAL_RTO_PARAMETERS), null, 0, &returned, null, null);
    }
}
