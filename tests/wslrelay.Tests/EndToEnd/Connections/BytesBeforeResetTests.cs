using System.Net;
using System.Net.Sockets;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.EndToEnd.Connections;

/// <summary>
/// What a peer sent before it reset, or closed with bytes unread, arrives whole, then the reset; also while the connection is being set up.
/// </summary>
public sealed class BytesBeforeResetTests
{
    // So many that each order of the two sides' events occurs: the first program that these tests were run on lost bytes in 1 to 99 of 100.
    private const int Count = 200;

    public static TheoryData<string, string> HopsAndModes => RelayPath.HopsAndModes;

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task Arrive_from_a_server_that_resets_at_once(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await path.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        var server = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    var socket = await listener.AcceptConnectionAsync();
                    await socket.SendAllAsync(new byte[200]);
                    socket.Reset();
                }
            },
            TestContext.Current.CancellationToken);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            for (var i = 0; i < Count / 4; i++)
            {
                using var client = await ConnectAsync(mapping);
                Assert.Equal((200, true), await CountToEndAsync(client));
            }
        }));
        await server;
    }

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task Arrive_from_a_client_that_resets_at_once(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await path.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        var server = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    using var socket = await listener.AcceptConnectionAsync();
                    Assert.Equal((200, true), await CountToEndAsync(socket));
                }
            },
            TestContext.Current.CancellationToken);
        for (var i = 0; i < Count; i++)
        {
            var client = await ConnectAsync(mapping);
            await client.SendAllAsync(new byte[200]);
            client.Reset();
        }

        await server;
    }

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task Arrive_from_a_server_that_answers_and_closes_without_reading_the_request(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        using var listener = Net.Listen(Net.Loopback(4));
        var mapping = await path.Relay.MapAsync(((IPEndPoint)listener.LocalEndPoint!).Port);
        for (var i = 0; i < Count / 4; i++)
        {
            using var client = await ConnectAsync(mapping);
            var upload = UploadAsync(client);
            using (var server = await listener.AcceptConnectionAsync())
            {
                await server.ReceiveExactlyAsync(1000);
                await server.SendAllAsync(new byte[200]);
            }

            // The system reports the reset once, to whichever call comes first.
            var (count, wasReset) = await CountToEndAsync(client);
            Assert.Equal((200, true), (count, wasReset | await upload));
        }

        static async Task<bool> UploadAsync(Socket client)
        {
            try
            {
                await client.SendAllAsync(new byte[4 << 20]);
                return false;
            }
            catch (SocketException error) when (SocketExtensions.Resets.Contains(error.SocketErrorCode))
            {
                return true;
            }
        }
    }

    [Theory]
    [MemberData(nameof(HopsAndModes))]
    public async Task Arrive_from_a_server_that_greets_and_closes(string hop, string mode)
    {
        await using var path = await RelayPath.OpenAsync(hop, mode);
        await using var server = GuestServer.Start(async socket =>
        {
            await socket.SendAllAsync("-ERR max\r\n"u8.ToArray());
            socket.Dispose();
        });
        var mapping = await path.Relay.MapAsync(server.Port);
        for (var i = 0; i < Count; i++)
        {
            using var client = await ConnectAsync(mapping);
            await client.SendAllAsync("PING\r\n"u8.ToArray());

            // The server closes before the request reaches it, or after: a clean end and a reset are both right.
            Assert.Equal(10, (await CountToEndAsync(client)).Count);
        }
    }

    // A blocking call: an asynchronous one reports a reset that comes at once as a connect that failed, and loses the bytes.
    private static async Task<Socket> ConnectAsync(Mapping mapping)
    {
        var client = mapping.Open();
        await Task.Run(() => client.Connect(mapping.EndPoint)).WaitAsync(Limits.HangTimeout);
        return client;
    }

    private static async Task<(int Count, bool WasReset)> CountToEndAsync(Socket socket)
    {
        var buffer = new byte[64 * 1024];
        var count = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(Limits.HangTimeout) is > 0 and var received)
                count += received;

            return (count, false);
        }
        catch (SocketException error) when (SocketExtensions.Resets.Contains(error.SocketErrorCode))
        {
            return (count, true);
        }
    }
}
