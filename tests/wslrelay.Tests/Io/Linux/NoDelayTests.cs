using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Nagle's delay is off wherever it could delay: from the second send to a target on, or from the first of more than a segment.</summary>
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
    public void WhatAListenerAcceptsHasItOff()
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
        private readonly LoopFixture _loop;
        private readonly Socket _server;
        private readonly Socket _source;
        private readonly IoSocket[] _ends;
        private Completion? _pump;

        internal Target(PumpMode mode = PumpMode.Adaptive, CallMode calls = CallMode.Single)
        {
            _loop = new LoopFixture(new EpollPort(calls) { PumpMode = mode });
            using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            server.Listen();
            IoEndpoint endpoint = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)server.LocalEndPoint!).Port);
            Completion connect = _loop.Start(owner => _loop.Port.Connect(endpoint, owner));
            _loop.Await(connect.Ended);
            _server = server.Accept();
            _server.ReceiveTimeout = 60_000;
            TestListener listener = _loop.Listen();
            _source = LoopFixture.ConnectClient(listener.Port);
            _ends = [listener.Take(), ((ConnectOperation)connect.Operation).Socket!];
        }

        internal bool HasNoDelay => NoDelayTests.HasNoDelay(_loop, _ends[1]);

        internal void Send(int size)
        {
            Completion send = _loop.Start(owner =>
            {
                TransferOperation operation = _loop.Port.Send(_ends[1], owner);
                operation.Buffer = Pattern.Bytes(size);
                return operation;
            });
            Receive(size);
            _loop.Await(send.Ended);
            Assert.Equal(IoError.None, send.Operation.Error);
        }

        internal void Pump(int size)
        {
            _pump ??= _loop.Start(owner => _loop.Port.Pump(_ends[0], _ends[1], new ByteCounter(), owner));
            _source.Send(Pattern.Bytes(size));
            Receive(size);
        }

        public void Dispose()
        {
            _source.Dispose();
            if (_pump is not null)
            {
                _loop.Await(_pump.Ended);
            }

            _loop.Do(() =>
            {
                _ends[0].Close(abort: false);
                _ends[1].Close(abort: false);
            });
            _server.Dispose();
            _loop.Dispose();
        }

        private void Receive(int size)
        {
            byte[] received = new byte[size];
            for (int got = 0; got < size;)
            {
                got += _server.Receive(received.AsSpan(got));
            }

            Assert.Equal(Pattern.Bytes(size), received);
        }
    }
}
