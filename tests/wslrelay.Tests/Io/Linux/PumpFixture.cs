using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A client that was accepted, a server that was connected to, both by the loop, and one pump from the first to the second.</summary>
[SupportedOSPlatform("linux")]
internal sealed class PumpFixture : IDisposable
{
    private readonly IoSocket[] _ends;
    private Completion? _pump;

    internal PumpFixture(PumpMode mode, CallMode calls, int resetIdleMilliseconds = PendingResets.MaxIdleMilliseconds)
    {
        Loop = new LoopFixture(new EpollPort(calls, resetIdleMilliseconds: resetIdleMilliseconds) { PumpMode = mode });
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        IoEndpoint endpoint = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)server.LocalEndPoint!).Port);
        Completion connect = Loop.Start(owner => Loop.Port.Connect(endpoint, owner));
        Loop.Await(connect.Ended);
        Server = server.Accept();
        Server.ReceiveTimeout = LoopFixture.SocketTimeout;
        TestListener listener = Loop.Listen();
        Client = LoopFixture.ConnectClient(listener.Port);
        _ends = [listener.Take(), ((ConnectOperation)connect.Operation).Socket!];
    }

    internal LoopFixture Loop { get; }

    internal Socket Client { get; }

    internal Socket Server { get; }

    /// <summary>The loop's connection to the client.</summary>
    internal EpollHandle From => (EpollHandle)_ends[0];

    /// <summary>The loop's connection to the server.</summary>
    internal EpollHandle To => (EpollHandle)_ends[1];

    /// <summary>The pump, which the first call starts.</summary>
    internal Completion Pump => _pump ??= Loop.Start(owner => Loop.Port.Pump(_ends[0], _ends[1], new ByteCounter(), owner));

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        if (_pump is not null)
            Loop.Await(_pump.Ended);

        Loop.Do(() =>
        {
            _ends[0].Close(abort: false);
            _ends[1].Close(abort: false);
        });
        Loop.Dispose();
    }
}
