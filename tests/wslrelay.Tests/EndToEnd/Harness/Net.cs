using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>Sockets that listen, and ports that are free.</summary>
internal static class Net
{
    public static IPEndPoint Loopback(int family, int port = 0) => new(family == 6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, port);

    public static Socket Listen(IPEndPoint endPoint, int backlog = 1024)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endPoint);
        socket.Listen(backlog);
        return socket;
    }

    /// <summary>A port that nothing listens on; a low one, where the system gives out none of its own accord.</summary>
    public static int FreePort(int count = 1)
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var first = Random.Shared.Next(12_000, 30_000 - count);
            if (Enumerable.Range(first, count).All(port => CanListen(Loopback(4, port)) && CanListen(Loopback(6, port))))
            {
                return first;
            }
        }

        throw new InvalidOperationException("No free port.");
    }

    /// <summary>Whether a server could take this address now; under Wine, whose processes let go of their sockets after they have ended, soon.</summary>
    public static bool CanListen(IPEndPoint endPoint)
    {
        var clock = Stopwatch.StartNew();
        while (!TryListen(endPoint))
        {
            if (!Platform.IsWine || clock.Elapsed > Limits.End)
            {
                return false;
            }

            Thread.Sleep(10);
        }

        return true;
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
