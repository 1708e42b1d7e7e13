using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// Opens sockets, and checks inherited descriptors.
internal sealed partial class EpollPort
{
    // The kernel cuts it down to net.core.somaxconn.
    private const int Backlog = 65535;

    private const int DatagramBufferSize = 1 << 20;

    // Without /proc.
    private const string UnknownDescriptor = "of an unknown kind";

    public override IoSocket Listen(in IoEndpoint endpoint)
    {
        ListenAddress.Check(endpoint);
        int descriptor = SocketAddress.Open(endpoint);
        if (descriptor < 0)
            throw Errno.Exception(-descriptor, endpoint.ToString());

        EpollHandle listener = new(this, descriptor, isSocket: true) { HidesResets = endpoint.Address is null };
        try
        {
            if (SocketAddress.Domain(endpoint) == Libc.AF_INET6)
                SetOption(listener, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1);

            if (endpoint.Kind == IoEndpointKind.Udp)
                PrepareDatagrams(listener, endpoint.Address!);

            if (endpoint.Kind == IoEndpointKind.Tcp)
            {
                if (endpoint.Port != 0)
                    SetReuseAddress(listener);

                TcpOptions.ApplyToListener(listener, endpoint, _keepaliveSeconds);
            }

            if (endpoint.Kind == IoEndpointKind.Unix && !endpoint.Path!.StartsWith('@'))
                _files.Add(listener, UnixListenerFile.Listen(listener, endpoint, Backlog));
            else if (listener.Bind(endpoint) != 0 || (endpoint.Kind != IoEndpointKind.Udp && Libc.listen(listener, Backlog) != 0))
                throw ListenException(endpoint, Errno.Last);

            // Not before bind: with it the kernel searches half of its range first, and all of that half once it is full. Connections inherit it
            // all the same.
            if (endpoint.Kind == IoEndpointKind.Tcp && endpoint.Port == 0)
                SetReuseAddress(listener);

            return listener;
        }
        catch (IoException)
        {
            listener.Dispose();
            throw;
        }
    }

    public override string? FindOwner(in IoEndpoint endpoint, int milliseconds) => PortOwners.Find(endpoint, milliseconds);

    public override IoSocket ConnectDatagrams(in IoEndpoint endpoint)
    {
        EpollHandle socket = OpenConnection(endpoint, isOfFlow: true);
        socket.TrySetOption(Libc.IPPROTO_UDP, Libc.UDP_GRO, 1);
        int error = socket.Connect(endpoint);
        if (error == 0 && socket.IsSelfConnected(endpoint))
            error = Errno.ECONNREFUSED;

        if (error == 0)
            return socket;

        socket.Close(abort: true);
        throw Errno.Exception(error, endpoint.ToString());
    }

    /// <summary>Opens a socket that is about to connect.</summary>
    /// <exception cref="IoException">The system refuses, or the descriptors that are left are for others.</exception>
    internal EpollHandle OpenConnection(in IoEndpoint endpoint, bool isOfFlow)
    {
        int descriptor = SocketAddress.Open(endpoint);
        if (descriptor == -Errno.EMFILE && !isOfFlow && Reserve.CloseSpare(isOther: !IsListening))
            descriptor = SocketAddress.Open(endpoint);

        if (isOfFlow && Reserve.IsScarceForFlow(descriptor))
        {
            _ = Libc.close(descriptor);
            descriptor = -Errno.EMFILE;
        }

        if (descriptor < 0)
            throw Errno.Exception(-descriptor, endpoint.ToString());

        if (isOfFlow)
            Reserve.CountFlow(1);

        return new EpollHandle(this, descriptor, isSocket: true) { IsConnection = true, IsOfFlow = isOfFlow, HidesResets = endpoint.Address is null };
    }

    public override SafeHandle OpenSignal(long number)
    {
        // An inherited descriptor is never close-on-exec: one that is was opened by this process.
        int flags = number is >= 0 and <= int.MaxValue ? Libc.fcntl((int)number, Libc.F_GETFD, 0) : -1;
        if (flags < 0)
            throw new IoException(IoError.Failed, 0, $"descriptor {number} is not open");

        string kind = DescribeDescriptor((int)number);
        bool isSignal = FileStatus.Of((int)number)?.Type switch
        {
            FileType.Fifo => (Libc.fcntl((int)number, Libc.F_GETFL, 0) & Libc.O_ACCMODE) != Libc.O_WRONLY,
            FileType.Anonymous => kind is "anon_inode:[eventfd]" or "anon_inode:[pidfd]" or UnknownDescriptor || kind.StartsWith("pidfd:", StringComparison.Ordinal),
            _ => false,
        };
        if ((flags & Libc.FD_CLOEXEC) != 0)
            throw new IoException(IoError.Failed, 0, $"descriptor {number} was not inherited (it is this process's own {kind})");

        return isSignal
            ? new SafeFileHandle((nint)number, ownsHandle: false)
            : throw new IoException(IoError.Failed, 0, $"descriptor {number} is {kind}, not an eventfd, the read end of a pipe, or a pidfd");
    }

    public override SafeHandle OpenProcess(int id) => ProcessSignal.Open(id);

    public override IoHandle? TryOpenPipe(SafeHandle pipe, bool write)
    {
        int number = (int)pipe.DangerousGetHandle();
        FileType? type = FileStatus.Of(number)?.Type;
        bool isSocket = type == FileType.Socket;
        int descriptor = -1;
        if (isSocket)
        {
            // Sends and receives use MSG_DONTWAIT.
            descriptor = Libc.fcntl(number, Libc.F_DUPFD_CLOEXEC, 0);
        }
        else if (type == FileType.Fifo)
        {
            // Opened again: O_NONBLOCK on the inherited descriptor would apply to every process that shares it.
            descriptor = Libc.open($"/proc/self/fd/{number}", (write ? Libc.O_WRONLY : Libc.O_RDONLY) | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        }

        if (descriptor < 0)
            return null;

        EpollHandle handle = new(this, descriptor, isSocket);
        if (Register(handle) == 0)
            return handle;

        handle.Dispose();
        return null;
    }

    /// <summary>Sets an integer option of a socket.</summary>
    internal static unsafe void SetOption(EpollHandle socket, int level, int option, int value)
    {
        if (Libc.setsockopt(socket, level, option, &value, sizeof(int)) != 0)
            throw Errno.Exception(Errno.Last, $"setsockopt({level}, {option})");
    }

    private static void PrepareDatagrams(EpollHandle socket, IPAddress address)
    {
        if (address.Equals(IPAddress.Any))
            SetOption(socket, Libc.IPPROTO_IP, Libc.IP_PKTINFO, 1);
        else if (address.Equals(IPAddress.IPv6Any))
            SetOption(socket, Libc.IPPROTO_IPV6, Libc.IPV6_RECVPKTINFO, 1);

        socket.TrySetOption(Libc.IPPROTO_UDP, Libc.UDP_GRO, 1);

        // Bursts of many clients meet in this one socket.
        socket.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUF, DatagramBufferSize);
    }

    // On Linux two listeners cannot share a port with it; it only allows binding despite connections in TIME_WAIT (socket(7), SO_REUSEADDR).
    private static void SetReuseAddress(EpollHandle listener) => SetOption(listener, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);

    private static IoException ListenException(in IoEndpoint endpoint, int error) => endpoint.Address is null
        ? Errno.Exception(error, endpoint.ToString())
        : error switch
        {
            Errno.EACCES => new IoException(
                IoError.AccessDenied,
                error,
                "it is privileged (below net.ipv4.ip_unprivileged_port_start): take a higher port, or give the relay CAP_NET_BIND_SERVICE"),
            Errno.EADDRINUSE when endpoint.Port == 0 => new IoException(
                IoError.AddressInUse, error, $"{endpoint.Address}: every port that the system may choose (net.ipv4.ip_local_port_range) is in use"),
            Errno.EINVAL => new IoException(IoError.AddressNotAvailable, 0, $"{endpoint.Address} cannot be listened on"),
            _ => Errno.Exception(error, endpoint.ToString()),
        };

    // As /proc shows the descriptor, for example "pipe:[1234]" or "anon_inode:[eventfd]" (proc(5)).
    private static string DescribeDescriptor(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget ?? UnknownDescriptor;
}
