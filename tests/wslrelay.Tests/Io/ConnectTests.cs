using System.Net;
using System.Net.Sockets;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io;

public class ConnectTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void ConnectsAndEndsWell(string text)
    {
        var address = IPAddress.Parse(text);
        using var loop = new LoopFixture();
        using var server = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(address, 0));
        server.Listen();
        IoEndpoint target = IoEndpoint.Tcp(address, ((IPEndPoint)server.LocalEndPoint!).Port);
        Completion connect = loop.Start(owner => loop.Port.Connect(target, owner));
        loop.Await(connect.Ended);
        Assert.Equal(IoError.None, connect.Operation.Error);
        using Socket peer = server.Accept();
        IoSocket socket = ((ConnectOperation)connect.Operation).Socket!;
        loop.Do(() => socket.Close(abort: false));
        Assert.Equal(0, peer.Receive(new byte[1]));
    }

    // A set-up is used again: it would close the socket of its last connection.
    [Fact]
    public void StartedAgainAndCancelledAtOnceItHasNoSocket()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.Tcp(IPAddress.Loopback, listener.Port), owner));
        loop.Await(connect.Ended);
        var operation = (ConnectOperation)connect.Operation;
        IoSocket[] first = [operation.Socket!, listener.Take()];
        loop.Do(() =>
        {
            loop.Loop.Start(operation);
            operation.Cancel();
            Array.ForEach(first, socket => socket.Close(abort: true));
        });
        loop.Stop();
        Assert.Equal(2, connect.Count);
        Assert.Null(operation.Socket);
    }

    [Fact]
    public void ANobodyIsRefused()
    {
        using var loop = new LoopFixture();
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        IoEndpoint target = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)bound.LocalEndPoint!).Port);
        Completion connect = loop.Start(owner => loop.Port.Connect(target, owner));
        loop.Await(connect.Ended);
        Assert.Equal(IoError.ConnectionRefused, connect.Operation.Error);
        Assert.Null(((ConnectOperation)connect.Operation).Socket);
    }

    [Fact]
    public async Task AnAcceptedSocketClosedWellEndsWellAndWithAbortIsReset()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        foreach (bool abort in (bool[])[false, true])
        {
            Socket client = LoopFixture.ConnectClient(listener.Port);
            IoSocket accepted = listener.Take();
            Task<SocketError> end = PeerEnd.Of(client);
            loop.Do(() => accepted.Close(abort));
            loop.Await(end);
            Assert.Equal(abort ? SocketError.ConnectionReset : SocketError.Success, await end);
            client.Dispose();
        }
    }
}
