using System.Collections.Concurrent;
using System.Net;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>A listener of the port under test, whose connections queue up, or go to a callback on the loop thread.</summary>
internal sealed class TestListener : IAcceptOwner
{
    private readonly LoopFixture _loop;
    private readonly BlockingCollection<IoSocket> _accepted = [];
    private readonly TaskCompletionSource<IoOperation> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ends;

    internal TestListener(LoopFixture loop, IPAddress address, int port, Action<IoSocket>? accepted = null)
    {
        _loop = loop;
        OnAccepted = accepted;
        Socket = loop.Port.Listen(IoEndpoint.Tcp(address, port));
        Port = Socket.LocalPort;
        Operation = loop.Port.Accept(Socket, this);
        loop.Loop.Start(Operation);
    }

    internal IoSocket Socket { get; }

    internal int Port { get; }

    internal AcceptOperation Operation { get; }

    internal Action<IoSocket>? OnAccepted { get; set; }

    internal int AcceptedCount { get; private set; }

    internal int Ends => Volatile.Read(ref _ends);

    internal Task<IoOperation> Ended => _ended.Task;

    public void Accepted(IoSocket socket)
    {
        AcceptedCount++;
        if (OnAccepted is not null)
            OnAccepted(socket);
        else
            _accepted.Add(socket);
    }

    public void Completed(IoOperation operation)
    {
        Interlocked.Increment(ref _ends);
        Socket.Close(abort: false);
        _ended.TrySetResult(operation);
    }

    internal IoSocket Take()
    {
        Assert.True(_accepted.TryTake(out IoSocket? socket, LoopFixture.HangTimeout), "no connection came");
        return socket;
    }

    /// <summary>Cancels the accept; the socket is closed when that has ended.</summary>
    internal void Close()
    {
        _loop.Loop.Post(() => Operation.Cancel());
        _loop.Await(_ended.Task);
    }
}
