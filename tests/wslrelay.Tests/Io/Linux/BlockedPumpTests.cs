using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>
/// A pump whose receiving side takes nothing does not hear of what else comes to be sent, segment for segment: it could do nothing with it. None of that is lost.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class BlockedPumpTests
{
    private const string LinuxOnly = "only Linux's pump waits for edges";
    private const int Segments = 60;

    [Theory]
    [InlineData("Adaptive", "Single")]
    [InlineData("Copy", "Single")]
    [InlineData("Copy", "Ring")]
    [InlineData("Splice", "Single")]
    public void WhatComesWhileItIsBlockedWakesNobodyAndArrives(string mode, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var blocked = new Blocked(mode, calls);
        blocked.SendSegment();
        long before = blocked.Turns;
        for (int i = 1; i < Segments; i++)
        {
            blocked.SendSegment();
            Thread.Sleep(2);
        }

        long turns = blocked.Turns - before;
        blocked.End();
        Assert.True(turns < Segments / 4, $"{turns} turns for {Segments} segments");
    }

    [Theory]
    [InlineData("Adaptive", "Single", false)]
    [InlineData("Adaptive", "Single", true)]
    [InlineData("Copy", "Single", false)]
    [InlineData("Copy", "Single", true)]
    [InlineData("Copy", "Ring", false)]
    [InlineData("Splice", "Single", false)]
    [InlineData("Splice", "Single", true)]
    public void WhatComesAfterItWasBlockedArrivesToo(string mode, string calls, bool hasUrgent)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var blocked = new Blocked(mode, calls);
        for (int i = 0; i < 10; i++)
        {
            blocked.SendSegment();
            if (hasUrgent && i == 5)
            {
                blocked.SendUrgent();
            }

            Thread.Sleep(2);
        }

        // No end comes to the help of a pump that hears of nothing else.
        blocked.ReceiveAll();
        for (int i = 0; i < 3; i++)
        {
            blocked.SendSegment();
            blocked.ReceiveAll();
        }

        blocked.End();
    }

    // A pump to a server that does not read, and which has filled all that there is to fill.
    private sealed class Blocked : IDisposable
    {
        private readonly LoopFixture _loop;
        private readonly Socket _client;
        private readonly Socket _server;
        private readonly IoSocket[] _ends;
        private readonly Completion _pump;
        private long _sent;
        private long _received;

        internal Blocked(string mode, string calls)
        {
            _loop = new LoopFixture(new EpollPort(Enum.Parse<CallMode>(calls)) { PumpMode = Enum.Parse<PumpMode>(mode) });
            using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            target.Listen();
            IoEndpoint endpoint = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)target.LocalEndPoint!).Port);
            Completion connect = _loop.Start(owner => _loop.Port.Connect(endpoint, owner));
            _loop.Await(connect.Ended);
            var to = (EpollHandle)((ConnectOperation)connect.Operation).Socket!;
            _server = target.Accept();
            _server.ReceiveTimeout = 60_000;
            TestListener listener = _loop.Listen();
            _client = LoopFixture.ConnectClient(listener.Port);
            _client.NoDelay = true;
            IoSocket from = listener.Take();
            _ends = [from, to];
            _pump = _loop.Start(owner => _loop.Port.Pump(from, to, new ByteCounter(), owner));

            // As soon as nothing goes out any more: there is room left for what is to come.
            for (long until = Environment.TickCount64 + 60_000; _loop.Ask(() => to.Writable); Thread.Sleep(1))
            {
                Assert.True(Environment.TickCount64 < until, "it is never full");
                Send(100_000);
            }
        }

        internal long Turns => _loop.Ask(() => ((EpollPort)_loop.Port).Turn);

        internal void SendSegment() => Send(10);

        internal void SendUrgent() => _client.Send("!"u8, SocketFlags.OutOfBand);

        internal void ReceiveAll()
        {
            byte[] buffer = new byte[100_000];
            while (_received < _sent)
            {
                int count = _server.Receive(buffer);
                Assert.NotEqual(0, count);
                Pattern.Check(buffer.AsSpan(0, count), _received);
                _received += count;
            }
        }

        internal void End()
        {
            _client.Shutdown(SocketShutdown.Send);
            ReceiveAll();
            Assert.Equal(0, _server.Receive(new byte[1]));
            _loop.Await(_pump.Ended);
            Assert.Equal(IoError.None, _pump.Operation.Error);
        }

        public void Dispose()
        {
            _client.Dispose();
            _server.Dispose();
            _loop.Await(_pump.Ended);
            _loop.Do(() =>
            {
                _ends[0].Close(abort: false);
                _ends[1].Close(abort: false);
            });
            _loop.Dispose();
        }

        private void Send(int size)
        {
            byte[] bytes = new byte[size];
            Pattern.Fill(bytes, _sent);
            _sent += _client.Send(bytes);
        }
    }
}
