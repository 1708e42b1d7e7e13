using Wslrelay.Io;
using Wslrelay.Tests.EndToEnd.Guest;
using Xunit;

namespace Wslrelay.Tests.Io;

public sealed class LoopGroupTests
{
    // However late a sample is taken.
    private const long Busy = 1_000_000_000;

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
    public async Task OnlyABusyRelayGivesConnectionsAwayEachToTheLoopWithLeastToDo()
    {
        int caller = Environment.CurrentManagedThreadId;
        Assert.Null(ChooseAfter(used: 0));
        Assert.Null(ChooseAfter(used: 0));
        IoLoop second = ChooseAfter(Busy)!;
        Assert.Equal(1, second.Index);
        var adopter = new Adopter();
        _group.Give(second, new ScriptedSocket([]), adopter);
        Assert.NotEqual(caller, await adopter.AdoptedOn.Task);
        ((ScriptedPort)second.Port).Used = Busy;
        Assert.Equal(2, ChooseAfter(Busy)!.Index);

        // The only connection has ended: short ones, one after the other, stay.
        _first.EndedCount = 1;
        Assert.Null(ChooseAfter(Busy));
        _first.EndedCount = 0;
        Assert.NotNull(ChooseAfter(Busy));
        Assert.Null(ChooseAfter(used: 0));
        _first.Stop();
        _group.Run();
    }

    [Fact]
    public void WhatFailsOnAnotherLoopEndsTheProgram()
    {
        _ = ChooseAfter(used: 0);
        _group.Give(ChooseAfter(Busy)!, new ScriptedSocket([]), new Adopter { Fails = true });
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

        internal TaskCompletionSource<int> AdoptedOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Adopted(IoSocket socket)
        {
            if (Fails)
                throw new InvalidOperationException();

            AdoptedOn.SetResult(Environment.CurrentManagedThreadId);
        }

        public void NotAdopted() => throw new NotSupportedException();
    }
}
