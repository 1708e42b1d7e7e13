using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>Connects a new socket by ConnectEx, over TCP or a Hyper-V socket. Runs on the loop thread.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Connect(CompletionPort port, in IoEndpoint endpoint, IIoOwner owner) : ConnectOperation(endpoint, owner)
{
    /// <summary>In milliseconds: a guest that does not answer would otherwise hold the connect for minutes. The relay's own deadline is shorter.</summary>
    internal const int HvConnectTimeout = 30_000;

    /// <summary>So that the connection outlives a suspend of the virtual machine, and a guest that is away is noticed.</summary>
    internal static readonly (int Option, int Value)[] HvOptions =
        [(HVSOCKET_CONNECTED_SUSPEND, 1), (HVSOCKET_CONNECT_TIMEOUT, HvConnectTimeout)];

    private OverlappedSlot? _slot;
    private WindowsSocket? _socket;

    /// <inheritdoc/>
    protected internal override void Schedule()
    {
        Socket = null;
        if (SocketAddress.FamilyOf(Endpoint) is not { } family)
        {
            Complete(IoError.NotSupported, 0);
            return;
        }

        _socket = WindowsSocket.TryCreate(port, family, out int error);
        if (_socket is null)
        {
            Complete(ToIoError(error), error);
            return;
        }

        error = SetUp(_socket);
        if (error == 0)
        {
            error = Call(_socket);
        }

        if (error == 0)
        {
            Pend();
        }
        else
        {
            Complete(ToIoError(error), error);
        }
    }

    /// <inheritdoc/>
    protected internal override void Collect(in IoEvent wake)
    {
        int error = wake.NativeError;
        if (CancelReason != IoError.None)
        {
            Complete(IoError.Cancelled, 0);
        }
        else if (error != 0)
        {
            Complete(ToIoError(error), error);
        }
        else if (setsockopt(_socket!, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null, 0) != 0)
        {
            // Without its context, shutdown would fail, and half-close with it. It fails where the peer has gone again.
            error = Marshal.GetLastPInvokeError();
            Complete(ToIoError(error), error);
        }
        else if (IsSelfConnected(_socket!))
        {
            Complete(IoError.ConnectionRefused, WSAECONNREFUSED);
        }
        else
        {
            Socket = _socket;
            _socket = null;
            Complete();
        }
    }

    /// <inheritdoc/>
    protected internal override void CancelPending() => Kernel32.CancelIoEx(_socket!, _slot!.Overlapped);

    /// <inheritdoc/>
    protected internal override void OnCompleted()
    {
        if (_slot is not null)
        {
            port.ReturnSlot(_slot);
            _slot = null;
        }

        _socket?.Close(abort: true);
        _socket = null;
        base.OnCompleted();
    }

    /// <summary>Everything ConnectEx asks for before the call; returns the error.</summary>
    private int SetUp(WindowsSocket socket)
    {
        int error = 0;
        if (socket.Family == AF_HYPERV)
        {
            foreach ((int option, int value) in HvOptions)
            {
                error = error == 0 ? socket.Set(HV_PROTOCOL_RAW, option, value) : error;
            }
        }
        else
        {
            socket.SetNoDelay();
            if (Endpoint.IsLoopback)
            {
                RefuseAtOnce(socket);
            }
        }

        // ConnectEx wants a socket that is bound.
        error = error == 0 ? socket.BindWildcard() : error;
        return error == 0 ? port.Associate(socket) : error;
    }

    /// <summary>Windows sends its SYN again after a refusal, for two seconds; on loopback the first one counts. Only an optimisation.</summary>
    private static void RefuseAtOnce(WindowsSocket socket)
    {
        var parameters = new TCP_INITIAL_RTO_PARAMETERS
        {
            Rtt = TCP_INITIAL_RTO_UNSPECIFIED_RTT,
            MaxSynRetransmissions = TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS,
        };
        uint returned;
        _ = WSAIoctl(
            socket, SIO_TCP_INITIAL_RTO, &parameters, (uint)sizeof(TCP_INITIAL_RTO_PARAMETERS), null, 0, &returned, null, null);
    }

    /// <summary>Makes the call; returns 0 when its packet will come.</summary>
    private int Call(WindowsSocket socket)
    {
        if (port.Extensions(socket, out int error) is not { } extensions)
        {
            return error;
        }

        byte* name = stackalloc byte[SocketAddress.MaxLength];
        int length = SocketAddress.Encode(Endpoint, new Span<byte>(name, SocketAddress.MaxLength));
        _slot = port.RentSlot();
        error = extensions.ConnectEx(socket, name, length, _slot.Lend(this));

        // Done now: its packet is queued all the same. Pending: its packet will come.
        if (error is 0 or ERROR_IO_PENDING)
        {
            return 0;
        }

        // Failed: no packet will come, so the slot comes back here.
        _slot.TakeBack();
        return error;
    }

    /// <summary>
    /// A connect to a loopback port in the range of ephemeral ports can be given that very port as its own, and then it
    /// connects to itself: nothing listens there.
    /// </summary>
    private static bool IsSelfConnected(WindowsSocket socket)
    {
        if (socket.Family == AF_HYPERV)
        {
            return false;
        }

        byte* local = stackalloc byte[SocketAddress.MaxLength];
        byte* remote = stackalloc byte[SocketAddress.MaxLength];
        int localLength = SocketAddress.MaxLength;
        int remoteLength = SocketAddress.MaxLength;
        return getsockname(socket, local, ref localLength) == 0
            && getpeername(socket, remote, ref remoteLength) == 0
            && new ReadOnlySpan<byte>(local, localLength).SequenceEqual(new ReadOnlySpan<byte>(remote, remoteLength));
    }
}
