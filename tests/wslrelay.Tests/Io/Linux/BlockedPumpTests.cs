using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>
/// A pump whose receiving side accepts nothing is not woken for each further segment, with which it could do nothing. None of these bytes is lost.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class BlockedPumpTests
{
    private const string LinuxOnly = "only Linux's pump waits for edge-triggered events";
    private const int Segments = 60;

    [Theory]
    [InlineData("Adaptive", "Single")]
    [InlineData("Copy", "Single")]
    [InlineData("Copy", "Ring")]
    [InlineData("Splice", "Single")]
    public void BytesThatComeWhileItIsBlockedDoNotWakeTheLoopAndArrive(string mode, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var blocked = new Blocked(mode, calls);
        blocked.SendSegment();
        Assert.True(SpinWait.SpinUntil(() => !blocked.WantsReadable, LoopFixture.HangTimeout), "it is still woken for bytes that it cannot send");
        long before = blocked.Turns;
        for (int i = 1; i < Segments; i++)
        {
            blocked.SendSegment();
            Thread.Sleep(1);
        }

        long turns = blocked.Turns - before;
        blocked.End();

        // Each of the two questions takes a turn of the loop, or two if it comes while a turn begins.
        Assert.InRange(turns, 1, 4);
    }

    [Theory]
    [InlineData("Adaptive", "Single", false)]
    [InlineData("Adaptive", "Single", true)]
    [InlineData("Copy", "Single", false)]
    [InlineData("Copy", "Single", true)]
    [InlineData("Copy", "Ring", false)]
    [InlineData("Splice", "Single", false)]
    [InlineData("Splice", "Single", true)]
    public void BytesThatComeAfterItWasBlockedArriveToo(string mode, string calls, bool hasUrgent)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var blocked = new Blocked(mode, calls);
        for (int i = 0; i < 10; i++)
        {
            blocked.SendSegment();
            if (hasUrgent && i == 5)
                blocked.SendUrgent();

            Thread.Sleep(2);
        }

        // A pump that gets no other event is not woken by an end either.
        blocked.ReceiveAll();
        for (int i = 0; i < 3; i++)
        {
            blocked.SendSegment();
            blocked.ReceiveAll();
        }

        blocked.End();
    }

    // A pump to a server that does not read, after it has filled every buffer on the way.
    private sealed class Blocked : IDisposable
    {
        private readonly PumpFixture _fixture;
        private long _sent;
        private long _received;

        internal Blocked(string mode, string calls)
        {
            _fixture = new PumpFixture(Enum.Parse<PumpMode>(mode), Enum.Parse<CallMode>(calls));
            _fixture.Client.NoDelay = true;

            // Neither buffer grows any more: the system could enlarge it whenever it answers a window probe (RFC 9293, 3.8.6.1).
            _fixture.Server.ReceiveBufferSize = 65536;
            SetSendBuffer(256 * 1024);
            _ = _fixture.Pump;

            // Lastingly, not just until the server's system has received what is in flight: everything it accepts has been acknowledged, and still there is no room. In
            // small pieces, so that the bytes that the pump has not received leave room for later ones.
            for (long until = Environment.TickCount64 + (long)LoopFixture.HangTimeout.TotalMilliseconds; !IsFull();)
            {
                Assert.True(Environment.TickCount64 < until, "it is never full");
                Send(4096);
            }
        }

        internal bool WantsReadable => _fixture.Loop.Ask(() => _fixture.From.WantsReadable);

        internal long Turns => _fixture.Loop.Ask(() => ((EpollPort)_fixture.Loop.Port).PollCount);

        internal void SendSegment() => Send(10);

        internal void SendUrgent() => _fixture.Client.Send("!"u8, SocketFlags.OutOfBand);

        internal void ReceiveAll()
        {
            byte[] buffer = new byte[100_000];
            while (_received < _sent)
            {
                int count = _fixture.Server.Receive(buffer);
                Assert.NotEqual(0, count);
                Pattern.Check(buffer.AsSpan(0, count), _received);
                _received += count;
            }
        }

        internal void End()
        {
            _fixture.Client.Shutdown(SocketShutdown.Send);
            ReceiveAll();
            Assert.Equal(0, _fixture.Server.Receive(new byte[1]));
            _fixture.Loop.Await(_fixture.Pump.Ended);
            Assert.Equal(IoError.None, _fixture.Pump.Operation.Error);
        }

        public void Dispose() => _fixture.Dispose();

        private bool IsFull()
        {
            // The loop has handled what was sent before.
            _fixture.Loop.Do(() => { });
            _fixture.Loop.Do(() => { });
            while (!_fixture.Loop.Ask(() => _fixture.To.Writable))
            {
                if (Unacknowledged() == 0)
                    return !_fixture.Loop.Ask(() => _fixture.To.Writable);

                Thread.Sleep(1);
            }

            return false;
        }

        private unsafe void SetSendBuffer(int size) => _fixture.Loop.Do(() =>
        {
            int bytes = size;
            Assert.Equal(0, Libc.setsockopt(_fixture.To, Libc.SOL_SOCKET, Libc.SO_SNDBUF, &bytes, sizeof(int)));
        });

        // TCP_INFO, tcpi_unacked.
        private unsafe int Unacknowledged() => _fixture.Loop.Ask(() =>
        {
            const int TCP_INFO = 11;
            const int Unacked = 24;
            byte* info = stackalloc byte[Unacked + sizeof(int)];
            uint size = Unacked + sizeof(int);
            Assert.Equal(0, Libc.getsockopt(_fixture.To, Libc.IPPROTO_TCP, TCP_INFO, info, &size));
            return *(int*)(info + Unacked);
        });

        private void Send(int size)
        {
            byte[] bytes = new byte[size];
            Pattern.Fill(bytes, _sent);
            _sent += _fixture.Client.Send(bytes);
        }
    }
}
