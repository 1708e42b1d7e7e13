using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>
/// Listening sockets by NETLINK_SOCK_DIAG (sock_diag(7)), whose cost depends on the number of listeners, not of connections; by /proc/net, without ids, where that is
/// refused. One thread, which is not the loop's.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class LinuxListenerTable : ListenerTable
{
    // The search for programs goes through every descriptor of every process: after so long the rest stays unknown.
    private const int MaxSearchMilliseconds = 300;

    // The kernel fills at most 32 KiB at a time.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);

    public override IoException? Read(List<ListeningSocket> listeners, bool udp = false)
    {
        listeners.Clear();
        int descriptor = Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, Libc.NETLINK_SOCK_DIAG);
        if (descriptor < 0 && Errno.ToIoError(Errno.Last) == IoError.TooManyOpenFiles)
            return Errno.Exception(Errno.Last, "socket");

        using SafeFileHandle netlink = new(descriptor, ownsHandle: true);

        // A kernel without IPv6 says ENOENT to the second.
        return descriptor >= 0 && DumpBoth(Libc.IPPROTO_TCP) && (!udp || DumpBoth(Libc.IPPROTO_UDP)) ? null : base.Read(listeners, udp);

        bool DumpBoth(int protocol) =>
            Dump(netlink, Libc.AF_INET, protocol, listeners) == 0 && Dump(netlink, Libc.AF_INET6, protocol, listeners) is 0 or Errno.ENOENT;
    }

    public override void FindPrograms(HashSet<ulong> ids, Dictionary<ulong, string> programs)
    {
        foreach ((ulong id, int process) in FindProcesses(ids, MaxSearchMilliseconds))
            _ = programs.TryAdd(id, NameOf(process));
    }

    /// <summary>The processes that hold these sockets, as far as this process may know them.</summary>
    internal static IEnumerable<(ulong Id, int Process)> FindProcesses(HashSet<ulong> ids, int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        HashSet<ulong> left = [.. ids];

        // The newest first: they have most of the new listeners.
        foreach (int process in Entries("/proc", end).OrderDescending())
        {
            if (Environment.TickCount64 >= end)
                yield break;

            foreach (int descriptor in Entries($"/proc/{process}/fd", end))
            {
                // One process alone can have a million.
                if (Environment.TickCount64 >= end)
                    yield break;

                if (new FileInfo($"/proc/{process}/fd/{descriptor}").LinkTarget is ['s', 'o', 'c', 'k', 'e', 't', ':', '[', .. var inode, ']']
                    && ulong.TryParse(inode, out ulong id) && left.Remove(id))
                {
                    yield return (id, process);
                    if (left.Count == 0)
                        yield break;
                }
            }
        }
    }

    internal static string NameOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").TrimEnd('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    // What is a number among a folder's entries: of processes that are gone, or another user's, nothing.
    private static IEnumerable<int> Entries(string folder, long end)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries(folder).TakeWhile(_ => Environment.TickCount64 < end)
                    .Select(static path => int.TryParse(Path.GetFileName(path), out int number) ? number : -1).Where(static number => number >= 0),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Returns 0 or an errno. A dump is made while it is received: nothing here waits.
    private int Dump(SafeHandle netlink, int family, int protocol, List<ListeningSocket> listeners)
    {
        Libc.inet_diag_dump request = new()
        {
            header = new Libc.NetlinkHeader
            {
                nlmsg_len = (uint)sizeof(Libc.inet_diag_dump),
                nlmsg_type = Libc.SOCK_DIAG_BY_FAMILY,
                nlmsg_flags = Libc.NLM_F_REQUEST | Libc.NLM_F_DUMP,
            },
            sdiag_family = (byte)family,
            sdiag_protocol = (byte)protocol,

            // A UDP socket without a peer is in the state of a closed one.
            idiag_states = 1u << (protocol == Libc.IPPROTO_UDP ? Libc.TCP_CLOSE : Libc.TCP_LISTEN),
        };
        if (Libc.send(netlink, (byte*)&request, (nuint)sizeof(Libc.inet_diag_dump), 0) < 0)
            return Errno.Last;

        while (true)
        {
            nint received;
            fixed (byte* buffer = _buffer)
                received = Libc.recv(netlink, buffer, (nuint)_buffer.Length, Libc.MSG_DONTWAIT);

            if (received <= 0)
                return received < 0 ? Errno.Last : Errno.EINVAL;

            ReadOnlySpan<byte> messages = _buffer.AsSpan(0, (int)received);
            while (messages.Length >= sizeof(Libc.NetlinkHeader))
            {
                Libc.NetlinkHeader header = MemoryMarshal.Read<Libc.NetlinkHeader>(messages);
                ReadOnlySpan<byte> content = messages[sizeof(Libc.NetlinkHeader)..(int)header.nlmsg_len];
                if (header.nlmsg_type == Libc.NLMSG_DONE)
                    return 0;

                if (header.nlmsg_type == Libc.NLMSG_ERROR)
                    return -MemoryMarshal.Read<int>(content);

                listeners.Add(Parse(content) with { IsUdp = protocol == Libc.IPPROTO_UDP });
                messages = messages[Math.Min(Align(header.nlmsg_len), messages.Length)..];
            }
        }
    }

    private static ListeningSocket Parse(ReadOnlySpan<byte> content)
    {
        Libc.inet_diag_msg message = MemoryMarshal.Read<Libc.inet_diag_msg>(content);
        bool isVersion6Only = false;
        for (ReadOnlySpan<byte> rest = content[sizeof(Libc.inet_diag_msg)..]; rest.Length > sizeof(Libc.NetlinkAttribute);)
        {
            Libc.NetlinkAttribute attribute = MemoryMarshal.Read<Libc.NetlinkAttribute>(rest);
            if (attribute.nla_type == Libc.INET_DIAG_SKV6ONLY)
                isVersion6Only = rest[sizeof(Libc.NetlinkAttribute)] != 0;

            rest = rest[Math.Min(Align(Math.Max(attribute.nla_len, 1u)), rest.Length)..];
        }

        ReadOnlySpan<byte> address = new(message.idiag_src, message.idiag_family == Libc.AF_INET6 ? 16 : 4);
        return new ListeningSocket(
            Plain(new IPAddress(address)), BinaryPrimitives.ReverseEndianness(message.idiag_sport), isVersion6Only, message.idiag_inode, message.idiag_uid);
    }

    private static int Align(uint length) => (int)((length + 3) & ~3u);
}
