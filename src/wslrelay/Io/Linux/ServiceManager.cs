using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>The service manager that started this program, if one did and asked for its state: sd_notify(3), a datagram to the socket of NOTIFY_SOCKET.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe class ServiceManager
{
    /// <param name="state">Such as <c>READY=1</c>.</param>
    /// <param name="flags">Of send(2), which without MSG_DONTWAIT waits for room. A manager that is gone is no reason to fail.</param>
    internal static void Notify(ReadOnlySpan<byte> state, int flags)
    {
        // Newer managers also know vsock:, of a machine's first process alone.
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not ['/' or '@', ..] path)
            return;

        using SafeFileHandle socket = new(Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0), ownsHandle: true);
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        try
        {
            int length = SocketAddress.Write(IoEndpoint.Unix(path), new Span<byte>(address, SocketAddress.MaxSize));
            fixed (byte* bytes = state)
            {
                if (!socket.IsInvalid && Libc.connect(socket, address, (uint)length) == 0)
                    _ = Libc.send(socket, bytes, (nuint)state.Length, flags | Libc.MSG_NOSIGNAL);
            }
        }
        catch (IoException)
        {
            // A path that is too long cannot be a manager's socket.
        }
    }
}
