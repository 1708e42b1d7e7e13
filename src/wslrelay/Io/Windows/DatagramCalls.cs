using System.Runtime.InteropServices;
using Wslrelay.Io.Windows.Interop;
using static Wslrelay.Io.Windows.Interop.Ws2_32;
using static Wslrelay.Io.Windows.NativeError;

namespace Wslrelay.Io.Windows;

/// <summary>
/// Receives and sends datagrams without waiting. Every socket of a port receives into the same memory: an idle one holds none. Loop thread only.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class DatagramCalls : IDisposable
{
    private const int SlotSize = 65536;
    private const int ControlSize = 64;

    // Errors of single datagrams that were sent, of which a socket of many clients tells in its receives.
    private const int MaxErrors = 64;

    private readonly byte* _memory = (byte*)NativeMemory.Alloc((nuint)DatagramBatch.Capacity * SlotSize);
    private delegate* unmanaged[Stdcall]<nint, WSAMSG*, uint*, void*, void*, int> _receiveMessage;

    /// <summary>What the last call has received.</summary>
    internal DatagramBatch Batch { get; } = new();

    /// <summary>Fills the batch. Returns the error that ends a connected socket; 0 if there is none.</summary>
    internal int Receive(WindowsSocket socket)
    {
        Batch.Clear();
        for (int errors = 0; Batch.Count < DatagramBatch.Capacity && errors < MaxErrors;)
        {
            int error = ReceiveOne(socket);
            if (error == WSAEWOULDBLOCK)
                return 0;

            if (error != 0 && socket.IsConnected)
                return error;

            errors += error == 0 ? 0 : 1;
        }

        return 0;
    }

    internal DatagramsSent Send(WindowsSocket socket, DatagramBatch batch, int first, int count, in InternetAddress to, in InternetAddress from)
    {
        byte* name = stackalloc byte[InternetAddress.MaxSize];
        int nameSize = to.IsEmpty ? 0 : to.Write(new Span<byte>(name, InternetAddress.MaxSize), to.IsV6 ? AF_INET6 : AF_INET);
        DatagramsSent sent = default;
        bool isFull = false;
        for (int i = first; i < first + count; i++)
        {
            ref readonly DatagramBatch.Entry datagram = ref batch[i];
            int error = isFull || sent.Error != IoError.None ? WSAEWOULDBLOCK
                : SendOne(socket, datagram, name, nameSize, from);
            if (error == 0)
            {
                sent.Datagrams++;
                sent.Bytes += datagram.Size;
                continue;
            }

            // What follows would overtake if it found room.
            sent.Dropped++;
            isFull |= error == WSAEWOULDBLOCK;
            if (socket.IsConnected && error is not (WSAEWOULDBLOCK or WSAENOBUFS or WSAEMSGSIZE or WSAEACCES))
                (sent.Error, sent.NativeError) = (error == WSAECONNRESET ? IoError.ConnectionRefused : ToIoError(error), error);
        }

        return sent;
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private int ReceiveOne(WindowsSocket socket)
    {
        if (_receiveMessage is null)
        {
            int missing = Mswsock.Load(socket, Mswsock.WSAID_WSARECVMSG, out void* function);
            if (missing != 0)
                return missing;

            _receiveMessage = (delegate* unmanaged[Stdcall]<nint, WSAMSG*, uint*, void*, void*, int>)function;
        }

        byte* name = stackalloc byte[InternetAddress.MaxSize];
        byte* control = stackalloc byte[ControlSize];
        byte* memory = _memory + (Batch.Count * SlotSize);
        WSABUF buffer = new() { len = SlotSize, buf = memory };
        WSAMSG message = new()
        {
            name = name, namelen = InternetAddress.MaxSize, lpBuffers = &buffer, dwBufferCount = 1,
            Control = socket.ReportsLocalAddress ? new WSABUF { len = ControlSize, buf = control } : default,
        };
        uint size;
        Marshal.SetLastSystemError(0);
        if (_receiveMessage(socket.DangerousGetHandle(), &message, &size, null, null) != 0)
            return Marshal.GetLastSystemError();

        InternetAddress client = socket.IsConnected ? default : SocketAddress.Read(new ReadOnlySpan<byte>(name, InternetAddress.MaxSize));
        Batch.Add(memory, (int)size, client: client, local: LocalAddress(message.Control));
        return 0;
    }

    // IN_PKTINFO and IN6_PKTINFO: the address, then the interface. One of many receivers sends nothing.
    private static InternetAddress LocalAddress(in WSABUF control)
    {
        var header = (WSACMSGHDR*)control.buf;
        if (control.len < sizeof(WSACMSGHDR) || header->cmsg_type != IP_PKTINFO)
            return default;

        ReadOnlySpan<byte> info = new(header + 1, (int)header->cmsg_len - sizeof(WSACMSGHDR));
        return header->cmsg_level == IPPROTO_IPV6 && info[0] != 0xff ? InternetAddress.ReadV6(info[..16], 0, BitConverter.ToUInt32(info[16..]))
            : header->cmsg_level == IPPROTO_IP && info[0] < 224 ? InternetAddress.ReadV4(info[..4])
            : default;
    }

    private static int SendOne(WindowsSocket socket, in DatagramBatch.Entry datagram, byte* name, int nameSize, in InternetAddress from)
    {
        WSABUF buffer = new() { len = (uint)datagram.Size, buf = datagram.Memory };
        WSAMSG message = new() { name = nameSize > 0 ? name : null, namelen = nameSize, lpBuffers = &buffer, dwBufferCount = 1 };
        if (!from.IsEmpty)
        {
            byte* control = stackalloc byte[ControlSize];
            new Span<byte>(control, ControlSize).Clear();
            int infoSize = from.IsV6 ? 20 : 8;
            *(WSACMSGHDR*)control = new WSACMSGHDR { cmsg_len = (nuint)(sizeof(WSACMSGHDR) + infoSize), cmsg_level = from.IsV6 ? IPPROTO_IPV6 : IPPROTO_IP, cmsg_type = IP_PKTINFO };
            from.WriteAddress(new Span<byte>(control + sizeof(WSACMSGHDR), 16));
            if (from.IsV6)
                *(uint*)(control + sizeof(WSACMSGHDR) + 16) = from.Scope;

            message.Control = new WSABUF { len = (uint)((sizeof(WSACMSGHDR) + infoSize + 7) & ~7), buf = control };
        }

        uint sent;
        return ErrorUnless(WSASendMsg(socket, &message, 0, &sent, null, null) == 0);
    }
}
