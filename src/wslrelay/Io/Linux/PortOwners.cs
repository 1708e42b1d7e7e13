using System.Net;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>Finds the process that listens on a TCP port. Without privileges another user's processes stay unknown: then only the user can be named.</summary>
[SupportedOSPlatform("linux")]
internal static class PortOwners
{
    /// <summary>The owner in words; null if there is none, or a sandbox hides it.</summary>
    internal static string? Find(in IoEndpoint endpoint, int milliseconds)
    {
        IPEndPoint wanted = new(endpoint.Address!, (int)endpoint.Port);
        List<ListeningSocket> listeners = [];
        _ = new LinuxListenerTable().Read(listeners);
        ListeningSocket socket = listeners.Find(listener => PortOwner.Occupies(listener, wanted));
        return (ProcessOf(socket.Id, milliseconds) ?? UserOf(socket.User)) is { } owner ? PortOwner.Describe(owner, socket, wanted.Address) : null;
    }

    private static string? ProcessOf(ulong id, int milliseconds) => id == 0 ? null
        : LinuxListenerTable.FindProcesses([id], milliseconds).Select(static found => $"{LinuxListenerTable.NameOf(found.Process)} (pid {found.Process})").FirstOrDefault();

    // A process of this user's own that was not found is in another container.
    private static string? UserOf(uint? id)
    {
        try
        {
            return id is null || id == Libc.getuid() ? null
                : $"a process of user {File.ReadLines("/etc/passwd").Select(static line => line.Split(':')).FirstOrDefault(user => user.Length > 2 && user[2] == $"{id}")?[0] ?? $"{id}"}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"a process of user {id}";
        }
    }
}
