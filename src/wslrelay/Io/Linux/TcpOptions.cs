using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>The options of the relay's TCP sockets. For any thread.</summary>
[SupportedOSPlatform("linux")]
internal static class TcpOptions
{
    private static readonly byte[] LoopbackCongestion = ReadCongestion();
    private static readonly (uint First, uint Last) Ephemeral = ReadEphemeral();

    /// <summary>Sets the options that accepted connections inherit from their listener.</summary>
    internal static void ApplyToListener(EpollHandle socket, in IoEndpoint endpoint, int keepaliveSeconds)
    {
        socket.TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        EnableKeepalive(socket, keepaliveSeconds);
        DisablePacing(socket, endpoint);
    }

    /// <summary>Sets the options of a socket about to connect. The rest follow: <see cref="EpollHandle.PrepareSend"/>, <see cref="KeepaliveQueue"/>.</summary>
    internal static void ApplyToConnection(EpollHandle socket, in IoEndpoint endpoint)
    {
        socket.NagleEnabled = true;
        DisablePacing(socket, endpoint);
    }

    /// <summary>Lets TCP probe an idle peer (tcp(7)), after so many seconds, or after the system's time if 0.</summary>
    internal static void EnableKeepalive(EpollHandle socket, int idleSeconds)
    {
        socket.TrySetOption(Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
        if (idleSeconds > 0)
            socket.TrySetOption(Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, idleSeconds);
    }

    /// <summary>Makes a listener drop new SYNs and nothing else: handshakes in progress still complete, so that its backlog can be emptied.</summary>
    internal static unsafe void DropNewHandshakes(EpollHandle listener)
    {
        // The filter sees each segment from its TCP header on (socket(7), SO_ATTACH_FILTER).
        const int FlagsOffset = 13;
        const uint Syn = 0x02;
        const uint SynAck = 0x12;
        Span<Libc.sock_filter> program =
        [
            new(Libc.BPF_LD_B_ABS, 0, 0, FlagsOffset),
            new(Libc.BPF_ALU_AND_K, 0, 0, SynAck),
            new(Libc.BPF_JMP_JEQ_K, 0, 1, Syn),
            new(Libc.BPF_RET_K, 0, 0, 0),
            new(Libc.BPF_RET_K, 0, 0, uint.MaxValue),
        ];
        fixed (Libc.sock_filter* instructions = program)
        {
            Libc.sock_fprog filter = new() { len = (ushort)program.Length, filter = instructions };

            // If it is refused, a connection that begins now may be reset.
            _ = Libc.setsockopt_filter(listener, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, &filter, (uint)sizeof(Libc.sock_fprog));
        }
    }

    /// <summary>Whether the system may assign this port to a connecting socket (ip(7), ip_local_port_range).</summary>
    internal static bool IsEphemeral(uint port) => port >= Ephemeral.First && port <= Ephemeral.Last;

    /// <summary>For a connection on loopback, before it is made: a socket that has paced goes on pacing.</summary>
    internal static unsafe void DisablePacing(int socket)
    {
        if (LoopbackCongestion.Length == 0)
            return;

        // Only an optimization: a failure is ignored.
        fixed (byte* name = LoopbackCongestion)
        {
            _ = Libc.setsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, (uint)LoopbackCongestion.Length);
        }
    }

    private static void DisablePacing(EpollHandle socket, in IoEndpoint endpoint)
    {
        if (endpoint.IsLoopback)
            DisablePacing((int)socket.DangerousGetHandle());
    }

    private static (uint First, uint Last) ReadEphemeral()
    {
        string[] words = ReadSetting("ip_local_port_range").Split('\t', ' ');
        return words.Length == 2 && uint.TryParse(words[0], out uint first) && uint.TryParse(words[1], out uint last) ? (first, last) : (1, 65535);
    }

    // bbr paces its sends, which halves bulk throughput on loopback; reno is built into every kernel.
    private static byte[] ReadCongestion() =>
        ReadSetting("tcp_congestion_control").StartsWith("bbr", StringComparison.Ordinal) ? "reno"u8.ToArray() : [];

    private static string ReadSetting(string name)
    {
        try
        {
            return File.ReadAllText("/proc/sys/net/ipv4/" + name).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
