using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>What every TCP socket of the relay is set to.</summary>
[SupportedOSPlatform("linux")]
internal static class TcpOptions
{
    private static byte[]? _loopbackCongestion;
    private static (uint First, uint Last)? _ephemeral;

    /// <summary>A listener's, which every connection that it accepts inherits.</summary>
    internal static void ApplyToListener(EpollHandle socket, in IoEndpoint endpoint)
    {
        EpollPort.SetOption(socket, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        AvoidPacing(socket, endpoint);
    }

    /// <summary>Those of a connection about to be made. That nothing is to be delayed can wait for its first sends: see <see cref="EpollHandle.PrepareSend"/>.</summary>
    internal static void ApplyToConnection(EpollHandle socket, in IoEndpoint endpoint)
    {
        socket.NagleEnabled = true;
        AvoidPacing(socket, endpoint);
    }

    /// <summary>Whether the system may give a connecting socket this port as its own (ip(7), ip_local_port_range).</summary>
    internal static bool IsEphemeral(uint port)
    {
        _ephemeral ??= ReadEphemeral();
        return port >= _ephemeral.Value.First && port <= _ephemeral.Value.Last;
    }

    // On loopback no pacing, where the system's congestion control would pace. Before the connection is made: what has paced once goes on.
    private static unsafe void AvoidPacing(EpollHandle socket, in IoEndpoint endpoint)
    {
        if (!endpoint.IsLoopback)
        {
            return;
        }

        _loopbackCongestion ??= ReadCongestion();
        if (_loopbackCongestion.Length > 0)
        {
            // It is only faster: a system that refuses it loses nothing else.
            fixed (byte* name = _loopbackCongestion)
            {
                _ = Libc.setsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, (uint)_loopbackCongestion.Length);
            }
        }
    }

    private static (uint First, uint Last) ReadEphemeral()
    {
        string[] words = ReadSetting("ip_local_port_range").Split('\t', ' ');
        return words.Length == 2 && uint.TryParse(words[0], out uint first) && uint.TryParse(words[1], out uint last) ? (first, last) : (1, 65535);
    }

    // bbr paces what it sends, which halves bulk on loopback; reno is built into every kernel.
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
