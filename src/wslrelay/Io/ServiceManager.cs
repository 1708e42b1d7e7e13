using System.Net.Sockets;

namespace Wslrelay.Io;

/// <summary>The service manager that started this program, if one did and asked for its state: sd_notify(3), a datagram to the socket of NOTIFY_SOCKET.</summary>
internal static class ServiceManager
{
    /// <param name="state">Such as <c>READY=1</c>.</param>
    /// <param name="wait">For room in the manager's socket, if there is none.</param>
    internal static void Notify(ReadOnlySpan<byte> state, bool wait)
    {
        // Newer managers also know vsock:, of a machine's first process alone.
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not ['/' or '@', ..] path)
            return;

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = wait };
            socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path));
            _ = socket.Send(state);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // A manager that is gone, or a path that is too long for one, is no reason to fail.
        }
    }
}
