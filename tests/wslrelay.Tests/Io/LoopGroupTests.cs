using Wslrelay.Io;
using Wslrelay.Tests.EndToEnd.Guest;
using Xunit;

namespace Wslrelay.Tests.Io;

public sealed class LoopGroupTests
{
    private readonly ScriptedPort _port = new();
    private readonly IoLoop _first;
    private readonly LoopGroup _group;

    public LoopGroupTests()
    {
        _first = new IoLoop(_port) { BegunCount = 1 };
        _group = new LoopGroup(_first, 3, spreads: false);
        _first.Group = _group;
    }

    [Fact]
    public void OnlyABusyRelayGivesConnectionsAwayEachToTheLoopWithLeastToDo()
    {
        Assert.Null(ChooseAfter(used: 0));
        Assert.Null(ChooseAfter(used: 0));
        IoLoop second = ChooseAfter(used: 1_000_000_000)!;
        Assert.Equal(1, second.Index);
        var adopter = new Adopter();
        _group.Give(second, new ScriptedSocket([]), adopter);
        Assert.NotEqual(Environment.CurrentManagedThreadId, adopter.Thread.Task.Result);
        Assert.Equal(2, _group.Choose()!.Index);

        // The only connection has ended: short ones, one after the other, stay.
        _first.EndedCount = 1;
        Assert.Null(_group.Choose());
        _first.EndedCount = 0;
        Assert.NotNull(_group.Choose());
        Assert.Null(ChooseAfter(used: 0));
        _first.Stop();
        _group.Run();
    }

    [Fact]
    public void WhatFailsOnAnotherLoopEndsTheProgram()
    {
        _ = ChooseAfter(used: 0);
        _group.Give(ChooseAfter(used: 1_000_000_000)!, new ScriptedSocket([]), new Adopter { Fails = true });
        _first.Stop();
        Assert.Throws<InvalidOperationException>(_group.Run);
    }

    // In the sample that this choice takes.
    private IoLoop? ChooseAfter(long used)
    {
        Thread.Sleep(40);
        _port.Used += used;
        return _group.Choose();
    }

    private sealed class Adopter : IAdopter
    {
        internal bool Fails { get; init; }

        internal TaskCompletionSource<int> Thread { get; } = new();

        public void Adopted(IoSocket socket)
        {
            if (Fails)
                throw new InvalidOperationException();

            Thread.SetResult(Environment.CurrentManagedThreadId);
        }

        public void NotAdopted() => throw new NotSupportedException();
    }
}
