using System.Net;
using System.Net.Sockets;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

public class LoopTests
{
    [Fact]
    public void CancelNeverCompletesInsideAndEndsOnce()
    {
        using var loop = new LoopFixture();
        using TestSignal signal = TestPlatform.CreateSignal();
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket accepted = listener.Take();
        Completion[] completions = loop.Ask(() => (Completion[])
        [
            loop.StartHere(owner => loop.Port.Watch(signal.Handle, owner)),
            loop.StartHere(owner =>
            {
                TransferOperation receive = loop.Port.Receive(accepted, owner);
                receive.Buffer = Pattern.Bytes(10);
                return receive;
            }),
        ]);

        // Their first calls have been made by then.
        loop.Do(() => { });
        loop.Do(() =>
        {
            foreach (Completion completion in completions)
            {
                completion.Operation.Cancel(IoError.TimedOut);
                completion.Operation.Cancel(IoError.Cancelled);
                Assert.Equal(0, completion.Count);
            }

            int before = listener.Ends;
            listener.Operation.Cancel();
            Assert.Equal(before, listener.Ends);
        });
        foreach (Completion completion in completions)
        {
            loop.Await(completion.Ended);
            Assert.Equal(IoError.TimedOut, completion.Operation.Error);
        }

        loop.Await(listener.Ended);
        loop.Do(() =>
        {
            completions[0].Operation.Cancel();
            accepted.Close(abort: true);
        });
        loop.Stop();
        Assert.All(completions, completion => Assert.Equal(1, completion.Count));
        Assert.Equal(1, listener.Ends);
    }

    [Fact]
    public void ACancelBeforeTheFirstTurnEndsIt()
    {
        using var loop = new LoopFixture();
        using TestSignal signal = TestPlatform.CreateSignal();
        Completion watch = loop.Ask(() =>
        {
            Completion started = loop.StartHere(owner => loop.Port.Watch(signal.Handle, owner));
            started.Operation.Cancel();
            Assert.Equal(0, started.Count);
            return started;
        });
        loop.Await(watch.Ended);
        Assert.Equal(IoError.Cancelled, watch.Operation.Error);
    }

    [Fact]
    public void AnOperationIsCancelledFromItsOwnCallback()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        loop.Do(() => listener.OnAccepted = socket =>
        {
            socket.Close(abort: true);
            listener.Operation.Cancel();
        });
        using Socket? client = LoopFixture.ConnectToBeReset(listener.Port);
        loop.Await(listener.Ended);
        Assert.Equal(1, listener.Ends);
    }

    [Fact]
    public void StoppedAtAnyMomentItLeavesNothing()
    {
        var random = new Random(3);
        int rounds = TestPlatform.IsWine ? 50 : 200;
        for (int round = 0; round < rounds; round++)
            StopAtSomeMoment(random);
    }

    [Fact]
    public void PostsOfManyThreadsAllRunInOrder()
    {
        const int Threads = 8;
        const int Each = 5000;
        using var loop = new LoopFixture();
        int[] next = new int[Threads];
        int wrong = 0;
        var threads = new List<Thread>();
        for (int t = 0; t < Threads; t++)
        {
            int thread = t;
            threads.Add(new Thread(() =>
            {
                for (int i = 0; i < Each; i++)
                {
                    int number = i;
                    loop.Loop.Post(() => wrong += next[thread]++ == number ? 0 : 1);
                }
            }));
        }

        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(Threads * Each, loop.Ask(() => next.Sum()));
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void AWakeAfterTheEndDoesNothing()
    {
        var loop = new LoopFixture();
        loop.Dispose();
        loop.Port.Wake();
        loop.Loop.Post(() => Assert.Fail("the loop has ended"));
    }

    [Fact]
    public void TimersFireInOrderAndNotWhenStopped()
    {
        using var loop = new LoopFixture();
        var fired = new List<(long Due, long At)>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int[] delays = [60, 10, 40, 20, 30];
        loop.Do(() =>
        {
            foreach (int milliseconds in delays)
            {
                TestTimer timer = null!;
                timer = new TestTimer(() =>
                {
                    fired.Add((timer.Due, Environment.TickCount64));
                    if (fired.Count == delays.Length)
                        all.SetResult();
                });
                loop.Loop.Timers.Start(timer, milliseconds);
            }

            var stopped = new TestTimer(() => Assert.Fail("a stopped timer has fired"));
            loop.Loop.Timers.Start(stopped, 15);
            loop.Loop.Timers.Stop(stopped);
        });
        loop.Await(all.Task);

        // In the order of their deadlines, which is that of the delays unless something has held up the thread that starts them.
        Assert.Equal(fired.OrderBy(timer => timer.Due), fired);
        Assert.All(fired, timer => Assert.InRange(timer.At, timer.Due, long.MaxValue));
    }

    private static void StopAtSomeMoment(Random random)
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        TestSignal[] signals = [.. Enumerable.Range(0, 60).Select(_ => TestPlatform.CreateSignal())];
        var completions = new List<Completion>();
        var listeners = new List<TestListener>();
        loop.Do(() =>
        {
            completions.AddRange(signals.Select(signal => loop.StartHere(owner => loop.Port.Watch(signal.Handle, owner))));
            for (int i = 0; i < 40; i++)
                listeners.Add(new TestListener(loop, IPAddress.Loopback, 0, socket => socket.Close(abort: true)));
        });
        var sockets = new List<Socket>();
        for (int i = 0; i < 8; i++)
        {
            (Socket client, Socket server) = relay.Connect();
            sockets.Add(client);
            sockets.Add(server);
            client.Blocking = false;
        }

        // On Windows each listener has four calls in flight, each relay two.
        Assert.True(!TestPlatform.IsWindows || loop.Ask(() => TestPlatform.InFlight(loop.Port)) >= 200, "too little is in flight");
        byte[] data = new byte[20_000];
        for (int until = random.Next(40); until > 0; until--)
        {
            switch (random.Next(4))
            {
                case 0:
                    signals[random.Next(signals.Length)].Set();
                    break;
                case 1:
                    sockets[2 * random.Next(8)].Send(data, 0, data.Length, SocketFlags.None, out _);
                    break;
                case 2:
                    if (LoopFixture.ConnectToBeReset(listeners[random.Next(listeners.Count)].Port) is { } reached)
                        sockets.Add(reached);

                    break;
                default:
                    Thread.SpinWait(random.Next(20_000));
                    break;
            }
        }

        loop.Stop();
        Assert.All(completions, completion => Assert.Equal(1, completion.Count));
        Assert.All(listeners, listener => Assert.Equal(1, listener.Ends));
        sockets.ForEach(socket => socket.Dispose());
        foreach (TestSignal signal in signals)
            signal.Dispose();
    }
}
