using System.Net;
using System.Runtime.Versioning;
using Wslrelay.Io.Linux.Interop;

namespace Wslrelay.Io.Linux;

/// <summary>What every TCP socket of the relay is set to.</summary>
[SupportedOSPlatform("linux")]
internal static class TcpOptions
{
    private static byte[]? _loopbackCongestion;

    /// <summary>No delay; and on loopback no pacing, where the system's congestion control would pace.</summary>
    internal static unsafe void Apply(EpollHandle socket, in IoEndpoint endpoint)
    {
        EpollPort.SetOption(socket, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
        if (!IPAddress.IsLoopback(endpoint.Address!))
        {
            return;
        }

        _loopbackCongestion ??= ReadDefault();
        if (_loopbackCongestion.Length > 0)
        {
            // It is only faster: a system that refuses it loses nothing else.
            fixed (byte* name = _loopbackCongestion)
            {
                _ = Libc.setsockopt(socket, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, name, (uint)_loopbackCongestion.Length);
            }
        }
    }

    // bbr paces what it sends, which halves bulk on loopback; reno is built into every kernel.
    private static byte[] ReadDefault()
    {
        try
        {
            return File.ReadAllText("/proc/sys/net/ipv4/tcp_congestion_control").StartsWith("bbr", StringComparison.Ordinal) ? "reno"u8.ToArray() : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
