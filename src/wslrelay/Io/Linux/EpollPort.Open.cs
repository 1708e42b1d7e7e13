using System.Runtime.InteropServices;
using System.Text;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

// How descriptors come to be: made here, or inherited and checked.
internal sealed partial class EpollPort
{
    // The kernel cuts it down to net.core.somaxconn.
    private const int Backlog = 65535;

    /// <inheritdoc/>
    public override unsafe IoSocket Listen(in IoEndpoint endpoint)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        int length = SocketAddress.Write(endpoint, new Span<byte>(address, SocketAddress.MaxSize));
        int descriptor = Libc.socket(SocketAddress.Domain(endpoint), Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (descriptor < 0)
        {
            throw Errno.Exception(Errno.Last, endpoint.ToString());
        }

        EpollHandle listener = new(this, descriptor, isSocket: true) { HidesResets = endpoint.Kind != IoEndpointKind.Tcp };
        try
        {
            if (endpoint.Kind == IoEndpointKind.Tcp)
            {
                if (endpoint.Port != 0)
                {
                    SetReuseAddress(listener);
                }

                if (SocketAddress.Domain(endpoint) == Libc.AF_INET6)
                {
                    SetOption(listener, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1);
                }

                // Accepted sockets inherit both, which saves two calls for each.
                TcpOptions.ApplyToListener(listener, endpoint);
            }

            int error = endpoint.Kind == IoEndpointKind.Unix
                ? UnixListenerPath.Bind(listener, endpoint.Path!, address, (uint)length)
                : Libc.bind(listener, address, (uint)length) == 0 ? 0 : Errno.Last;
            if (error == 0 && endpoint.Path is not null)
            {
                _files.Add(listener, endpoint.Path);
            }

            error = error == 0 && Libc.listen(listener, Backlog) != 0 ? Errno.Last : error;
            if (error != 0)
            {
                throw error == Errno.EACCES && endpoint.Kind == IoEndpointKind.Tcp
                    ? new IoException(IoError.AccessDenied, error, "it is privileged (below net.ipv4.ip_unprivileged_port_start): take a higher port, or give the relay CAP_NET_BIND_SERVICE")
                    : Errno.Exception(error, endpoint.ToString());
            }

            if (endpoint.Kind == IoEndpointKind.Tcp && endpoint.Port == 0)
            {
                // Only now: the kernel looks for a port of its choice in half of the range first if it is set, and walks through all of
                // that half once it is full. It still counts for the connections to come, which inherit it.
                SetReuseAddress(listener);
            }

            return listener;
        }
        catch (IoException)
        {
            RemoveFile(listener);
            listener.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override SafeHandle OpenSignal(long number)
    {
        // An inherited descriptor cannot be close-on-exec: one that is was opened by this process and only happens to have the number.
        int flags = number is >= 0 and <= int.MaxValue ? Libc.fcntl((nint)number, Libc.F_GETFD, 0) : -1;
        if (flags < 0)
        {
            throw new IoException(IoError.Failed, 0, $"descriptor {number} is not open");
        }

        string kind = DescribeDescriptor((int)number);
        bool isSignal = kind.StartsWith("anon_inode:[eventfd]", StringComparison.Ordinal)
            || kind.StartsWith("anon_inode:[pidfd]", StringComparison.Ordinal)
            || kind.StartsWith("pidfd:", StringComparison.Ordinal)
            || (kind.StartsWith("pipe:", StringComparison.Ordinal) && (Libc.fcntl((nint)number, Libc.F_GETFL, 0) & Libc.O_ACCMODE) != Libc.O_WRONLY);
        if ((flags & Libc.FD_CLOEXEC) != 0)
        {
            throw new IoException(IoError.Failed, 0, $"descriptor {number} was not inherited (it is this process's own {kind})");
        }

        return isSignal
            ? new EpollHandle(this, (nint)number, isSocket: false, ownsDescriptor: false)
            : throw new IoException(IoError.Failed, 0, $"descriptor {number} is {kind}, not an eventfd, the read end of a pipe, or a pidfd");
    }

    /// <inheritdoc/>
    public override IoHandle? TryOpenPipe(SafeHandle pipe, bool write)
    {
        int number = (int)pipe.DangerousGetHandle();
        string kind = DescribeDescriptor(number);
        bool isSocket = kind.StartsWith("socket:", StringComparison.Ordinal);
        int descriptor = -1;
        if (isSocket)
        {
            // Sends and receives say MSG_DONTWAIT themselves.
            descriptor = Libc.fcntl(number, Libc.F_DUPFD_CLOEXEC, 0);
        }
        else if (kind.StartsWith("pipe:", StringComparison.Ordinal))
        {
            // Opened anew, since O_NONBLOCK on the inherited one would change it for whoever shares it.
            descriptor = Libc.open($"/proc/self/fd/{number}", (write ? Libc.O_WRONLY : Libc.O_RDONLY) | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        }

        if (descriptor < 0)
        {
            return null;
        }

        EpollHandle handle = new(this, descriptor, isSocket);
        try
        {
            Register(handle);
            return handle;
        }
        catch (IoException)
        {
            handle.Dispose();
            return null;
        }
    }

    /// <summary>Sets an integer option of a socket.</summary>
    internal static unsafe void SetOption(EpollHandle socket, int level, int option, int value)
    {
        if (Libc.setsockopt(socket, level, option, &value, sizeof(int)) != 0)
        {
            throw Errno.Exception(Errno.Last, $"setsockopt({level}, {option})");
        }
    }

    // On Linux this never shares a port with another listener; it only passes over connections in TIME_WAIT (ip(7), SO_REUSEADDR).
    private static void SetReuseAddress(EpollHandle listener) => SetOption(listener, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);

    // What /proc says the descriptor is, as in "pipe:[1234]" or "anon_inode:[eventfd]" (proc(5)).
    private static unsafe string DescribeDescriptor(int descriptor)
    {
        const int Max = 256;
        byte* text = stackalloc byte[Max];
        nint length = Libc.readlink($"/proc/self/fd/{descriptor}", text, Max);
        return length < 0 ? "unknown" : Encoding.UTF8.GetString(text, (int)length);
    }
}
