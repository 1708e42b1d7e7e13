using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Datagrams;

/// <summary>A client or a server of datagrams, every wait bounded.</summary>
internal sealed class DatagramPeer : IDisposable
{
    private readonly byte[] _buffer = new byte[65536];

    public DatagramPeer(int family = 4, int port = 0)
        : this(Net.Loopback(family, port))
    {
    }

    public DatagramPeer(IPEndPoint local)
    {
        Socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (OperatingSystem.IsWindows())
        {
            // SIO_UDP_CONNRESET: an ICMP error about one peer must not fail the next receive.
            Socket.IOControl(unchecked((int)0x9800000C), [0], null);
        }

        Socket.Bind(local);
    }

    public Socket Socket { get; }

    public IPEndPoint EndPoint => (IPEndPoint)Socket.LocalEndPoint!;

    public int Port => EndPoint.Port;

    public void Send(byte[] datagram, IPEndPoint to) => Assert.Equal(datagram.Length, Socket.SendTo(datagram, to));

    public async Task<(byte[] Datagram, IPEndPoint From)> ReceiveAsync()
    {
        var any = new IPEndPoint(Socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        var result = await Socket.ReceiveFromAsync(_buffer, SocketFlags.None, any).WaitAsync(Limits.HangTimeout);
        return (_buffer[..result.ReceivedBytes], (IPEndPoint)result.RemoteEndPoint);
    }

    /// <summary>Receives a datagram and asserts its bytes and its sender.</summary>
    public async Task AssertReceivesAsync(byte[] expected, IPEndPoint from)
    {
        var (datagram, sender) = await ReceiveAsync();
        Assert.Equal(from, sender);
        Assert.True(expected.AsSpan().SequenceEqual(datagram), $"{datagram.Length} bytes came instead of {expected.Length}.");
    }

    /// <summary>Sends a datagram, which must come back from the address it was sent to.</summary>
    public async Task AssertEchoAsync(IPEndPoint to, byte[]? datagram = null)
    {
        datagram ??= Guid.NewGuid().ToByteArray();
        Send(datagram, to);
        await AssertReceivesAsync(datagram, to);
    }

    /// <summary>Sends back what it receives until it is disposed.</summary>
    public async Task EchoAsync()
    {
        try
        {
            while (true)
            {
                var any = new IPEndPoint(Socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
                var result = await Socket.ReceiveFromAsync(_buffer, SocketFlags.None, any);
                await Socket.SendToAsync(_buffer.AsMemory(0, result.ReceivedBytes), SocketFlags.None, result.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    public void Dispose() => Socket.Dispose();
}
