using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>A loop on a thread of its own; its end proves that no call was left in flight.</summary>
internal sealed class LoopFixture : IDisposable
{
    internal static readonly TimeSpan HangTimeout = TimeSpan.FromSeconds(120);
    internal static readonly int SocketTimeout = (int)HangTimeout.TotalMilliseconds;

    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure;
    private bool _stopped;

    internal LoopFixture(IoPort? port = null, int? eventBatch = null)
    {
        Port = port ?? IoPort.Create();
        Loop = eventBatch is null ? new IoLoop(Port) : new IoLoop(Port, eventBatch.Value);
        _thread = new Thread(Run) { IsBackground = true, Name = "loop" };
        _thread.Start();
    }

    internal IoPort Port { get; }

    internal IoLoop Loop { get; }

    /// <summary>Runs something on the loop thread and waits for it.</summary>
    internal T Ask<T>(Func<T> ask)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(() =>
        {
            try
            {
                answer.SetResult(ask());
            }
            catch (Exception e)
            {
                answer.SetException(e);
            }
        });
        Await(answer.Task);
        return answer.Task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Ask"/>
    internal void Do(Action action) => Ask(() =>
    {
        action();
        return true;
    });

    /// <summary>Starts an operation on the loop thread; its first call has been made when this returns.</summary>
    internal Completion Start(Func<IIoOwner, IoOperation> make)
    {
        Completion completion = Ask(() => StartHere(make));
        Do(() => { });
        return completion;
    }

    /// <summary>Starts an operation, from the loop thread.</summary>
    internal Completion StartHere(Func<IIoOwner, IoOperation> make)
    {
        var completion = new Completion();
        completion.Operation = make(completion);
        Loop.Start(completion.Operation);
        return completion;
    }

    /// <summary>Bytes that the loop's thread has allocated so far; asking adds none.</summary>
    internal long AllocatedByLoop()
    {
        long allocated = 0;
        using var done = new ManualResetEventSlim();
        Loop.Post(() =>
        {
            allocated = GC.GetAllocatedBytesForCurrentThread();
            done.Set();
        });
        Assert.True(done.Wait(HangTimeout), "the loop does not answer");
        return allocated;
    }

    /// <summary>Listens on a loopback port of the system's choice and accepts.</summary>
    internal TestListener Listen(IPAddress? address = null, int port = 0) => Ask(() => new TestListener(this, address ?? IPAddress.Loopback, port));

    /// <summary>Waits for a task, in bounded time, or for the loop's own failure.</summary>
    internal void Await(Task task)
    {
        bool done = Task.WaitAny([task], HangTimeout) == 0;
        _failure?.Throw();
        Assert.True(done, "nothing came");
    }

    /// <summary>Waits for several tasks; the first that fails is the cause of what the others wait for.</summary>
    internal void AwaitAll(params Task[] tasks)
    {
        List<Task> left = [.. tasks];
        while (left.Count > 0)
        {
            Task<Task> next = Task.WhenAny(left);
            Await(next);
            Task ended = next.GetAwaiter().GetResult();
            ended.GetAwaiter().GetResult();
            left.Remove(ended);
        }
    }

    /// <summary>Stops the loop, and proves that it drained.</summary>
    internal void Stop()
    {
        if (_stopped)
            return;

        _stopped = true;
        Loop.Post(Loop.Stop);
        Assert.True(_thread.Join(HangTimeout), $"the loop did not drain: {Loop.ActiveCount} operations, {TestPlatform.InFlight(Port)} calls in flight");
        _failure?.Throw();
        Assert.Equal(0, Loop.ActiveCount);
        Assert.Equal(0, TestPlatform.InFlight(Port));
    }

    public void Dispose()
    {
        Stop();
        Port.Dispose();
    }

    internal static Socket ConnectClient(int port, IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = SocketTimeout, SendTimeout = SocketTimeout };
        client.Connect(address, port);
        return client;
    }

    /// <summary>Connects to a listener that resets what it accepts. Null where the reset came before connect returned; the listener has accepted it all the same.</summary>
    internal static Socket? ConnectToBeReset(int port)
    {
        try
        {
            return ConnectClient(port);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return null;
        }
    }

    private void Run()
    {
        try
        {
            Loop.Run();
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }
}
