using System.Net;
using System.Net.Sockets;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>
/// The smallest relay: connections to a listener of the port under test go to a server socket of the test, by two pumps
/// each. It closes both sockets when both pumps have ended: cleanly where both ended without an error, with a reset otherwise.
/// </summary>
internal sealed class TestRelay : IDisposable
{
    private readonly LoopFixture _loop;
    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TestListener _listener;

    internal TestRelay(LoopFixture loop)
    {
        _loop = loop;
        _server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _server.Listen(512);
        IoEndpoint target = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)_server.LocalEndPoint!).Port);
        _listener = loop.Listen();
        _loop.Do(() => _listener.OnAccepted = socket => _ = new Pair(this, socket, target));
    }

    internal List<(IoError ToServer, IoError ToClient)> Ends { get; } = [];

    internal ByteCounter ToServer { get; } = new();

    internal ByteCounter ToClient { get; } = new();

    internal int Port => _listener.Port;

    /// <summary>A connection through the relay, both of its ends.</summary>
    internal (Socket Client, Socket Server) Connect()
    {
        Socket client = LoopFixture.ConnectClient(_listener.Port);
        return (client, Accept());
    }

    /// <summary>The server's end of a connection that the relay has made.</summary>
    internal Socket Accept()
    {
        Socket server = _server.Accept();
        server.ReceiveTimeout = server.SendTimeout = LoopFixture.SocketTimeout;
        return server;
    }

    internal (IoError ToServer, IoError ToClient) WaitForEnd(int index = 0)
    {
        for (long until = Environment.TickCount64 + (long)LoopFixture.HangTimeout.TotalMilliseconds; _loop.Ask(() => Ends.Count) <= index; Thread.Sleep(1))
            Assert.True(Environment.TickCount64 < until, $"connection {index} does not end");

        return _loop.Ask(() => Ends[index]);
    }

    public void Dispose() => _server.Dispose();

    private sealed class Pair : IIoOwner
    {
        private readonly TestRelay _relay;
        private readonly IoSocket _client;
        private readonly ConnectOperation _connect;
        private PumpOperation? _toServer;
        private PumpOperation? _toClient;

        internal Pair(TestRelay relay, IoSocket client, IoEndpoint target)
        {
            _relay = relay;
            _client = client;
            _connect = relay._loop.Port.Connect(target, this);
            relay._loop.Loop.Start(_connect);
        }

        public void Completed(IoOperation operation)
        {
            if (operation == _connect)
            {
                if (_connect.Socket is not { } server)
                {
                    _client.Close(abort: true);
                    return;
                }

                _toServer = _relay._loop.Port.Pump(_client, server, _relay.ToServer, this);
                _toClient = _relay._loop.Port.Pump(server, _client, _relay.ToClient, this);
                _relay._loop.Loop.Start(_toServer);
                _relay._loop.Loop.Start(_toClient);
                return;
            }

            PumpOperation other = operation == _toServer ? _toClient! : _toServer!;
            if (other.State != IoState.Completed)
            {
                if (operation.Error is not (IoError.None or IoError.ReceiverBroke))
                    other.Cancel(operation.Error);

                return;
            }

            bool abort = _toServer!.Error != IoError.None || _toClient!.Error != IoError.None;
            _client.Close(abort);
            _connect.Socket!.Close(abort);
            _relay.Ends.Add((_toServer.Error, _toClient!.Error));
        }
    }
}
