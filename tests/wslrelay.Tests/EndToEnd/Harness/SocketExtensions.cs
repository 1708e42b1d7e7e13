using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Harness;

/// <summary>What a test does with a socket, every wait bounded.</summary>
internal static class SocketExtensions
{
    /// <summary>The errors by which a reset shows: the first from a receive, the others from a send as well.</summary>
    public static readonly SocketError[] Resets = [SocketError.ConnectionReset, SocketError.ConnectionAborted, SocketError.Shutdown];

    public static async Task<Socket> ConnectAsync(this Mapping mapping)
    {
        var socket = mapping.Open();
        await socket.ConnectAsync(mapping.EndPoint).WaitAsync(Limits.Hang);
        return socket;
    }

    /// <summary>Connects from a known address to where the connection is reset, perhaps before it has come about.</summary>
    public static async Task<Socket> ConnectToBeResetAsync(this Mapping mapping)
    {
        var socket = mapping.Open();
        socket.Bind(Net.Loopback(mapping.Family));
        try
        {
            await socket.ConnectAsync(mapping.EndPoint).WaitAsync(Limits.Hang);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
        }

        return socket;
    }

    /// <summary>Asserts that the relay takes a connection and resets it, whether the client has yet seen itself connected or not.</summary>
    public static async Task AssertResetAsync(this Mapping mapping)
    {
        using var socket = mapping.Open();
        try
        {
            await socket.ConnectAsync(mapping.EndPoint).WaitAsync(Limits.Hang);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            return;
        }

        await socket.AssertResetAsync();
    }

    /// <summary>Asserts that nothing listens there.</summary>
    public static async Task AssertRefusedAsync(this IPEndPoint endPoint)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        var error = await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(endPoint).WaitAsync(Limits.Hang));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    public static Task<Socket> AcceptConnectionAsync(this Socket listener) => listener.AcceptAsync().WaitAsync(Limits.Hang);

    /// <summary>Fills a backlog of 0, so that Linux answers nobody else: one more than the backlog is let in (listen(2)).</summary>
    public static async Task<Socket> FillBacklogAsync(this Socket listener)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndPoint!).WaitAsync(Limits.Hang);
        await Limits.UntilAsync(() => Net.Backlog(listener) == 1, "the backlog to be full");
        return socket;
    }

    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes).AsTask().WaitAsync(Limits.Transfer)..];
    }

    public static async Task<byte[]> ReceiveExactlyAsync(this Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var have = 0; have < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(have)).AsTask().WaitAsync(Limits.Hang);
            Assert.True(read > 0, $"The connection ended after {have} of {count} bytes.");
            have += read;
        }

        return bytes;
    }

    /// <summary>Sends until every buffer on the way is full: until nothing more is taken. Returns the bytes.</summary>
    public static async Task<long> FillAsync(this Socket socket)
    {
        socket.Blocking = false;
        var bytes = new byte[64 * 1024];
        var sent = 0L;
        for (var last = DateTime.UtcNow; DateTime.UtcNow - last < Limits.Quiet;)
        {
            var count = socket.Send(bytes, SocketFlags.None, out var error);
            if (error == SocketError.Success)
            {
                sent += count;
                last = DateTime.UtcNow;
            }
            else
            {
                Assert.Equal(SocketError.WouldBlock, error);
                await Task.Delay(1);
            }
        }

        return sent;
    }

    /// <summary>Waits until a socket that neither sends nor receives is told that its connection is reset.</summary>
    public static Task WaitForResetAsync(this Socket socket) =>
        Limits.UntilAsync(() => (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0, "the reset to arrive");

    /// <summary>Everything up to a clean end of sending by the other side.</summary>
    public static async Task<byte[]> ReceiveToEndAsync(this Socket socket)
    {
        var all = new List<byte>();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer).WaitAsync(Limits.Hang) is > 0 and var count)
            all.AddRange(buffer.AsSpan(0, count));

        return [.. all];
    }

    public static async Task DrainAsync(this Socket socket)
    {
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer) > 0)
        {
        }
    }

    /// <summary>Asserts that what this socket sends comes back.</summary>
    public static async Task AssertEchoAsync(this Socket socket, byte[]? bytes = null)
    {
        bytes ??= "over and back"u8.ToArray();
        await socket.SendAllAsync(bytes);
        Assert.Equal(bytes, await socket.ReceiveExactlyAsync(bytes.Length));
    }

    /// <summary>Asserts that one connection through the mapping echoes.</summary>
    public static async Task AssertEchoAsync(this Mapping mapping)
    {
        using var socket = await mapping.ConnectAsync();
        await socket.AssertEchoAsync();
        socket.Shutdown(SocketShutdown.Send);
        Assert.Empty(await socket.ReceiveToEndAsync());
    }

    /// <summary>Asserts that the other side ends its sending cleanly, with nothing more before.</summary>
    public static async Task AssertEndAsync(this Socket socket) =>
        Assert.Equal(0, await socket.ReceiveAsync(new byte[1]).WaitAsync(Limits.Hang));

    /// <summary>Asserts that the connection is reset: whatever comes before, a clean end never does.</summary>
    public static async Task AssertResetAsync(this Socket socket)
    {
        var buffer = new byte[64 * 1024];
        var error = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
            {
                if (await socket.ReceiveAsync(buffer).WaitAsync(Limits.Hang) == 0)
                {
                    Assert.True(Platform.IsWine, "The connection ended cleanly where a reset was due.");
                    await SendUntilResetAsync(socket);
                }
            }
        });
        Assert.Contains(error.SocketErrorCode, Resets);
    }

    /// <summary>
    /// Under Wine a reset shows only once, to whoever was waiting, and as a clean end to whoever asks later; that no one is there any
    /// more shows at the next sends.
    /// </summary>
    private static async Task SendUntilResetAsync(Socket socket)
    {
        for (var i = 0; i < 200; i++)
        {
            await socket.SendAsync(new byte[1]).WaitAsync(Limits.Hang);
            await Task.Delay(20);
        }

        Assert.Fail("The connection ended cleanly where a reset was due.");
    }

    /// <summary>Asserts that the connection is over, cleanly or not.</summary>
    public static async Task AssertEndedAsync(this Socket socket)
    {
        try
        {
            await socket.DrainAsync().WaitAsync(Limits.Hang);
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
    }

    /// <summary>Ends the connection with a reset.</summary>
    public static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
