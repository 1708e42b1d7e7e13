using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>TCP_NODELAY is set wherever Nagle's algorithm could delay: from the second send to a target on, or from the first of more than a segment.</summary>
[SupportedOSPlatform("linux")]
public sealed class NoDelayTests
{
    private const string LinuxOnly = "Windows sets it as it connects";

    [Theory]
    [InlineData(1, false)]
    [InlineData(500, false)]
    [InlineData(501, true)]
    [InlineData(100_000, true)]
    public void AfterTheFirstSendItIsOffIfThatWasMoreThanASegment(int size, bool expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var target = new Target();
        Assert.False(target.HasNoDelay);
        target.Send(size);
        Assert.Equal(expected, target.HasNoDelay);
    }

    [Fact]
    public void BeforeTheSecondSendItIsTurnedOff()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var target = new Target();
        target.Send(1);
        target.Send(1);
        Assert.True(target.HasNoDelay);
    }

    [Theory]
    [InlineData("Copy", "Single")]
    [InlineData("Copy", "Ring")]
    [InlineData("Splice", "Single")]
    public void APumpTurnsItOffToo(string mode, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var target = new Target(Enum.Parse<PumpMode>(mode), Enum.Parse<CallMode>(calls));
        target.Pump(10);
        Assert.False(target.HasNoDelay);
        target.Pump(10);
        Assert.True(target.HasNoDelay);
    }

    [Fact]
    public void AcceptedSocketsHaveNoDelay()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket accepted = listener.Take();
        Assert.True(HasNoDelay(loop, accepted));
        loop.Do(() => accepted.Close(abort: false));
    }

    private static bool HasNoDelay(LoopFixture loop, IoSocket socket) => SocketOption.Get(loop, socket, Libc.IPPROTO_TCP, Libc.TCP_NODELAY) != 0;

    // A server, and the loop's connection to it.
    private sealed class Target : IDisposable
    {
        private readonly PumpFixture _fixture;

        internal Target(PumpMode mode = PumpMode.Adaptive, CallMode calls = CallMode.Single) => _fixture = new PumpFixture(mode, calls);

        internal bool HasNoDelay => NoDelayTests.HasNoDelay(_fixture.Loop, _fixture.To);

        internal void Send(int size)
        {
            Completion send = _fixture.Loop.Start(owner =>
            {
                TransferOperation operation = _fixture.Loop.Port.Send(_fixture.To, owner);
                operation.Buffer = Pattern.Bytes(size);
                return operation;
            });
            Receive(size);
            _fixture.Loop.Await(send.Ended);
            Assert.Equal(IoError.None, send.Operation.Error);
        }

        internal void Pump(int size)
        {
            _ = _fixture.Pump;
            _fixture.Client.Send(Pattern.Bytes(size));
            Receive(size);
        }

        public void Dispose() => _fixture.Dispose();

        private void Receive(int size)
        {
            byte[] received = new byte[size];
            for (int got = 0; got < size;)
                got += _fixture.Server.Receive(received.AsSpan(got));

            Assert.Equal(Pattern.Bytes(size), received);
        }
    }
}
