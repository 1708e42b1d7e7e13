using System.Runtime.InteropServices;
using Wslrelay.Io;

namespace Wslrelay.Tests.EndToEnd.Guest;

/// <summary>
/// A port whose operations end in the call that starts them, on <see cref="ScriptedSocket"/>s: the real agent and the real relay run on it a
/// million times in the time that the system would take for a few thousand. Each wait calls the test, which supplies the next connection.
/// </summary>
internal sealed class ScriptedPort : IoPort
{
    private readonly Queue<IoOperation> _cancelled = new();

    /// <summary>Called when the loop has nothing left to do.</summary>
    public Action Idle { get; set; } = static () => { };

    /// <summary>The owner of the accept, once it listens.</summary>
    public IAcceptOwner Acceptor { get; private set; } = null!;

    /// <summary>The error with which an accept ends at once; None if it waits.</summary>
    public IoError AcceptError { get; init; }

    /// <summary>The server that a connect reaches; null refuses it.</summary>
    public Func<IoEndpoint, ScriptedSocket?> Server { get; set; } = static _ => null;

    /// <summary>Called when an accept is cancelled.</summary>
    public Action Cancelling { get; set; } = static () => { };

    /// <summary>The sockets that stand in for the standard streams, where a test needs them.</summary>
    public ScriptedSocket? Input { get; init; }

    public ScriptedSocket? Output { get; init; }

    /// <summary>What its thread has used of a processor, in microseconds.</summary>
    public long Used { get; set; }

    public override long ThreadMicroseconds => Used;

    public override void BindThread()
    {
    }

    public override IoPort CreateForLoop() => new ScriptedPort { Idle = static () => Thread.Sleep(1) };

    public override bool Adopt(IoSocket socket) => true;

    public override IoSocket Listen(in IoEndpoint endpoint) => new ScriptedSocket([]);

    public override AcceptOperation Accept(IoSocket listener, IAcceptOwner owner)
    {
        Acceptor = owner;
        return new Accepting(this, owner);
    }

    public override ConnectOperation Connect(in IoEndpoint endpoint, IIoOwner owner) => new Connecting(this, endpoint, owner);

    public override TransferOperation Send(IoHandle to, IIoOwner owner) => new Sending((ScriptedSocket)to, owner);

    public override TransferOperation Receive(IoHandle from, IIoOwner owner) => new Receiving((ScriptedSocket)from, owner);

    public override PumpOperation Pump(IoSocket from, IoSocket to, ByteCounter counter, IIoOwner owner, ChunkMode chunks = ChunkMode.None) =>
        new Pumping((ScriptedSocket)from, (ScriptedSocket)to, counter, owner);

    public override IoOperation Watch(SafeHandle signal, IIoOwner owner) => throw new NotSupportedException();

    public override SafeHandle OpenSignal(long number) => throw new NotSupportedException();

    public override SafeHandle OpenProcess(int id) => throw new NotSupportedException();

    public override IoHandle? TryOpenPipe(SafeHandle pipe, bool write) => write ? Output : Input;

    public override int Wait(Span<IoEvent> events, int timeoutMilliseconds)
    {
        if (_cancelled.TryDequeue(out var operation))
        {
            events[0] = new IoEvent(operation, null, 0, 0);
            return 1;
        }

        if (timeoutMilliseconds != 0)
            Idle();

        return 0;
    }

    public override void Wake()
    {
    }

    public override void Dispose()
    {
    }

    private sealed class Accepting(ScriptedPort port, IAcceptOwner owner) : AcceptOperation(owner)
    {
        protected internal override void Schedule()
        {
            if (port.AcceptError == IoError.None)
                Pend();
            else
                Complete(port.AcceptError, 0);
        }

        protected internal override void Collect(in IoEvent wake) => Complete(IoError.Cancelled, 0);

        protected internal override void CancelPending()
        {
            port.Cancelling();
            port._cancelled.Enqueue(this);
        }
    }

    private sealed class Connecting(ScriptedPort port, in IoEndpoint endpoint, IIoOwner owner) : ConnectOperation(endpoint, owner)
    {
        protected internal override void Schedule()
        {
            Socket = port.Server(Endpoint);
            Complete(Socket is null ? IoError.ConnectionRefused : IoError.None, 0);
        }

        protected internal override void Collect(in IoEvent wake) => throw new NotSupportedException();

        protected internal override void CancelPending() => throw new NotSupportedException();
    }

    private sealed class Sending(ScriptedSocket to, IIoOwner owner) : TransferOperation(to, owner)
    {
        protected internal override void Schedule()
        {
            ((ScriptedSocket)Handle).Sent.AddRange(Buffer.Span);
            BytesTransferred = Buffer.Length;
            Complete();
        }

        protected internal override void Collect(in IoEvent wake) => throw new NotSupportedException();

        protected internal override void CancelPending() => throw new NotSupportedException();
    }

    private sealed class Receiving(ScriptedSocket from, IIoOwner owner) : TransferOperation(from, owner)
    {
        protected internal override void Schedule()
        {
            var bytes = ((ScriptedSocket)Handle).Take(Buffer.Length);
            bytes.CopyTo(Buffer.Span);
            BytesTransferred = bytes.Length;
            Complete();
        }

        protected internal override void Collect(in IoEvent wake) => throw new NotSupportedException();

        protected internal override void CancelPending() => throw new NotSupportedException();
    }

    private sealed class Pumping(ScriptedSocket from, ScriptedSocket to, ByteCounter counter, IIoOwner owner) : PumpOperation(owner, counter)
    {
        protected internal override void Schedule()
        {
            var bytes = from.Take(int.MaxValue);
            if (!bytes.IsEmpty)
            {
                to.Sent.AddRange(bytes);
                Counter.Add(bytes.Length);
                Yield();
                return;
            }

            to.ShutdownSend();
            Complete();
        }

        protected internal override void Collect(in IoEvent wake) => throw new NotSupportedException();

        protected internal override void CancelPending() => throw new NotSupportedException();
    }
}
