using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A pump whose sender has been reset ends once the receiver has accepted everything that was received before the reset, or accepts nothing more.</summary>
[SupportedOSPlatform("linux")]
public sealed class PumpResetTests
{
    private const string LinuxOnly = "only Linux's pump waits for edge-triggered events";
    private const int Volume = 4 << 20;

    [Theory]
    [InlineData("Copy", "Single")]
    [InlineData("Copy", "Ring")]
    [InlineData("Splice", "Single")]
    public void BytesReceivedBeforeAResetArriveWhileTheReceiverReads(string mode, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using PumpFixture fixture = Open(mode, calls, idleMilliseconds: 60_000);
        fixture.Client.Blocking = false;
        _ = fixture.Pump;
        byte[] bytes = new byte[Volume];
        Pattern.Fill(bytes, 0);
        int sent = 0;
        for (long until = Environment.TickCount64 + 300; sent < Volume && Environment.TickCount64 < until;)
        {
            sent += fixture.Client.Send(bytes, sent, Volume - sent, SocketFlags.None, out SocketError error);
            Assert.Contains(error, (SocketError[])[SocketError.Success, SocketError.WouldBlock]);
        }

        // A reset discards what the client's own system still holds: wait until nothing more of it moves.
        int unsent = SocketOption.Unsent(fixture.Client);
        for (int before = unsent + 1; unsent < before;)
        {
            before = unsent;
            Thread.Sleep(500);
            unsent = SocketOption.Unsent(fixture.Client);
        }

        sent -= unsent;
        fixture.Client.LingerState = new LingerOption(true, 0);
        fixture.Client.Close();
        Thread.Sleep(300);
        Assert.False(fixture.Pump.Ended.IsCompleted);

        byte[] buffer = new byte[100_000];
        int received = 0;
        while (received < sent)
        {
            int count = fixture.Server.Receive(buffer);
            Assert.NotEqual(0, count);
            Pattern.Check(buffer.AsSpan(0, count), received);
            received += count;
        }

        fixture.Loop.Await(fixture.Pump.Ended);
        Assert.Equal(IoError.Reset, fixture.Pump.Operation.Error);
    }

    [Theory]
    [InlineData("Copy", "Single")]
    [InlineData("Copy", "Ring")]
    [InlineData("Splice", "Single")]
    public void AReceiverThatReadsNothingIsNotWaitedFor(string mode, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using PumpFixture fixture = Open(mode, calls, idleMilliseconds: 100);
        _ = fixture.Pump;
        byte[] bytes = new byte[100_000];
        for (long until = Environment.TickCount64 + 60_000; fixture.Loop.Ask(() => fixture.To.Writable); Thread.Sleep(1))
        {
            Assert.True(Environment.TickCount64 < until, "it is never full");
            fixture.Client.Send(bytes);
        }

        fixture.Client.LingerState = new LingerOption(true, 0);
        fixture.Client.Close();
        fixture.Loop.Await(fixture.Pump.Ended);
        Assert.Equal(IoError.Reset, fixture.Pump.Operation.Error);
    }

    private static PumpFixture Open(string mode, string calls, int idleMilliseconds) =>
        new(Enum.Parse<PumpMode>(mode), Enum.Parse<CallMode>(calls), idleMilliseconds);
}
