using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

public class SignalTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(2000)]
    public void SignalsSetBeforehandFireOnceEach(int count) => Fire(count, presignalled: true);

    [Theory]
    [InlineData(100)]
    [InlineData(2000)]
    public void SignalsThatTrickleFireOnceEach(int count) => Fire(count, presignalled: false);

    [Fact]
    public void ASignalThatStaysSetFiresAgainWhenWatchedAgain()
    {
        using var loop = new LoopFixture();
        using TestSignal signal = TestPlatform.CreateSignal();
        signal.Set();
        for (int i = 0; i < 10; i++)
        {
            Completion watch = loop.Start(owner => loop.Port.Watch(signal.Handle, owner));
            loop.Await(watch.Ended);
            Assert.Equal(IoError.None, watch.Operation.Error);
        }
    }

    [Fact]
    public void CancelAndSignalAtOnceEndExactlyOnce()
    {
        TestPlatform.NotUnderWine("its UnregisterWaitEx crashes now and then when the callback runs at that moment");
        using var loop = new LoopFixture();
        for (int i = 0; i < 300; i++)
        {
            using TestSignal signal = TestPlatform.CreateSignal();
            Completion watch = loop.Start(owner => loop.Port.Watch(signal.Handle, owner));
            var set = Task.Run(signal.Set, TestContext.Current.CancellationToken);
            loop.Loop.Post(() => watch.Operation.Cancel());
            loop.Await(watch.Ended);
            loop.Await(set);
            Assert.Contains(watch.Operation.Error, new[] { IoError.None, IoError.Cancelled });
            Assert.Equal(1, watch.Count);
        }
    }

    private static void Fire(int count, bool presignalled)
    {
        using var loop = new LoopFixture();
        var signals = new TestSignal[count];
        for (int i = 0; i < count; i++)
        {
            signals[i] = TestPlatform.CreateSignal();
            if (presignalled)
                signals[i].Set();
        }

        Completion[] watches = loop.Ask(
            () => signals.Select(signal => loop.StartHere(owner => loop.Port.Watch(signal.Handle, owner))).ToArray());
        if (!presignalled)
        {
            int[] order = [.. Enumerable.Range(0, count)];
            new Random(1).Shuffle(order);
            foreach (int i in order)
                signals[i].Set();
        }

        foreach (Completion watch in watches)
        {
            loop.Await(watch.Ended);
            Assert.Equal(IoError.None, watch.Operation.Error);
        }

        loop.Stop();
        Assert.All(watches, watch => Assert.Equal(1, watch.Count));
        foreach (TestSignal signal in signals)
            signal.Dispose();
    }
}
