using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Sockets that listen, and ports that are free.</summary>
internal static class Net
{
    private const int FirstPort = 12_000;
    private const int Ports = 18_000;

    // Processes that run in parallel begin at different ports.
    private static int _givenPorts = Random.Shared.Next(Ports);

    public static IPEndPoint Loopback(int family, int port = 0) => new(family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, port);

    public static Socket Listen(IPEndPoint endPoint, int backlog = 1024)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endPoint);
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>
    /// Consecutive ports that nothing listens on, and that no other socket gets by chance: they are below the system's ephemeral ports, and no test
    /// of this process gets them again. A port that a test checks after it was closed must be one of these.
    /// </summary>
    public static int FreePort(int count = 1)
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var first = FirstPort + ((Interlocked.Add(ref _givenPorts, count) - count) % Ports);
            if (first + count <= FirstPort + Ports && Enumerable.Range(first, count).All(port => CanListen(Loopback(4, port)) && CanListen(Loopback(6, port))))
                return first;
        }

        throw new InvalidOperationException("No free port.");
    }

    /// <summary>Whether a server could take this address now; under Wine, whose processes close their sockets only after they have ended, shortly.</summary>
    public static bool CanListen(IPEndPoint endPoint)
    {
        var clock = Stopwatch.StartNew();
        while (!TryListen(endPoint))
        {
            if (!Platform.IsWine || clock.Elapsed > Limits.ExitTimeout)
                return false;

            Thread.Sleep(10);
        }

        return true;
    }

    /// <summary>How many connections wait to be accepted; Linux only (TCP_INFO: for a listener, tcpi_unacked).</summary>
    public static int Backlog(Socket listener)
    {
        const int IPPROTO_TCP = 6;
        const int TCP_INFO = 11;
        const int Unacked = 24;
        Span<byte> info = stackalloc byte[Unacked + sizeof(int)];
        Assert.Equal(info.Length, listener.GetRawSocketOption(IPPROTO_TCP, TCP_INFO, info));
        return BitConverter.ToInt32(info[Unacked..]);
    }

    public static byte[] RandomBytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static bool TryListen(IPEndPoint endPoint)
    {
        try
        {
            Listen(endPoint).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
