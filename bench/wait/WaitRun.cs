using System.Net;
using System.Net.Sockets;
using Wslrelay.Io;

namespace Wslrelay.WaitBench;

/// <summary>One loop with so many idle handles, on which both kinds of event are measured, one after the other. Runs on the calling thread.</summary>
internal sealed class WaitRun : IAcceptOwner, IDisposable
{
    private readonly IoPort _port;
    private readonly IoLoop _loop;
    private readonly WaitOptions _options;
    private readonly IdleHandles _idle;
    private readonly Ring _signals;
    private readonly Ring _sockets;
    private Socket? _connecting;
    private IoSocket? _listener;
    private AcceptOperation? _accept;
    private EventCost _signal;
    private EventCost _receive;
    private string? _failure;

    private WaitRun(WaitOptions options)
    {
        _port = IoPort.Create();
        _loop = new IoLoop(_port);
        _options = options;
        _idle = new IdleHandles(_loop, Fail);
        _signals = new Ring(_loop, options.InFlight, Fail);
        _sockets = new Ring(_loop, options.InFlight, Fail);
    }

    /// <summary>Measures; where the system has no such number of handles, the sample says so.</summary>
    internal static WaitSample Measure(WaitOptions options, int idle)
    {
        using var run = new WaitRun(options);
        try
        {
            run.Open(idle);
        }
        catch (Exception e) when (e is IoException or SocketException or IOException)
        {
            run.Fail(e.Message);
        }

        run._loop.Run();
        return new WaitSample(run._signal, run._receive, run._failure);
    }

    /// <inheritdoc/>
    public void Accepted(IoSocket socket)
    {
        _sockets.Add(new SocketMember(_sockets, _port, socket, _connecting!));
        _connecting = null;
        if (_sockets.Count < Ring.Members)
            Connect();
        else
            _accept!.Cancel();
    }

    /// <inheritdoc/>
    public void Completed(IoOperation operation)
    {
        _listener!.Close(abort: false);
        if (operation.Error != IoError.Cancelled)
            Fail($"accept: {operation.Error} ({operation.NativeError})");
        else if (_failure is null)
            _signals.Measure(_options.Time, SignalsMeasured);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _connecting?.Dispose();
        _listener?.Dispose();
        _signals.Dispose();
        _sockets.Dispose();
        _idle.Dispose();
        _port.Dispose();
    }

    private void Open(int idle)
    {
        _idle.Open(idle, _options.Kind);
        for (int i = 0; i < Ring.Members; i++)
            _signals.Add(new SignalMember(_signals, _port));

        _listener = _port.Listen(IoEndpoint.Tcp(IPAddress.Loopback, 0));
        _accept = _port.Accept(_listener, this);
        _loop.Start(_accept);
        Connect();
    }

    // One after the other, so that both ends of a connection are known for such.
    private void Connect()
    {
        _connecting = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _connecting.Connect(IPAddress.Loopback, _listener!.LocalPort);
    }

    private void SignalsMeasured(EventCost cost)
    {
        _signal = cost;
        _sockets.Measure(_options.Time, SocketsMeasured);
    }

    private void SocketsMeasured(EventCost cost)
    {
        _receive = cost;
        _loop.Stop();
    }

    private void Fail(string why)
    {
        _failure ??= why;
        _loop.Stop();
    }
}
