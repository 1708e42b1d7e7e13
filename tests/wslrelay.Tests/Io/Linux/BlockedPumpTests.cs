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
    private const int Segments = 60;

    [Theory]
    [InlineData("Adaptive", "Single", false)]
    [InlineData("Adaptive", "Single", true)]
    [InlineData("Copy", "Single", false)]
    [InlineData("Copy", "Single", true)]
    [InlineData("Copy", "Ring", false)]
    [InlineData("Splice", "Single", false)]
    [InlineData("Splice", "Single", true)]
    public void WhatComesWhileItIsBlockedWakesNobodyAndArrives(string mode, string calls, bool hasUrgent)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux's pump waits for edges");
        using var loop = new LoopFixture(new EpollPort(Enum.Parse<CallMode>(calls)) { PumpMode = Enum.Parse<PumpMode>(mode) });
        var port = (EpollPort)loop.Port;
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        target.Listen();
        IoEndpoint endpoint = IoEndpoint.Tcp(IPAddress.Loopback, ((IPEndPoint)target.LocalEndPoint!).Port);
        Completion connect = loop.Start(owner => port.Connect(endpoint, owner));
        loop.Await(connect.Ended);
        var to = (EpollHandle)((ConnectOperation)connect.Operation).Socket!;
        using Socket server = target.Accept();
        server.ReceiveTimeout = 60_000;
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        client.NoDelay = true;
        IoSocket from = listener.Take();
        Completion pump = loop.Start(owner => port.Pump(from, to, new ByteCounter(), owner));

        // Until nothing goes out any more, and with room left for what is to come.
        byte[] piece = new byte[100_000];
        long sent = 0;
        for (long until = Environment.TickCount64 + 60_000; loop.Ask(() => to.Writable); Thread.Sleep(1))
        {
            Assert.True(Environment.TickCount64 < until, "it is never full");
            Pattern.Fill(piece, sent);
            sent += client.Send(piece);
        }

        SendSegment();
        long before = loop.Ask(() => port.Turn);
        for (int i = 1; i < Segments; i++)
        {
            SendSegment();
            if (hasUrgent && i == Segments / 2)
            {
                client.Send("!"u8, SocketFlags.OutOfBand);
            }

            Thread.Sleep(2);
        }

        long turns = loop.Ask(() => port.Turn) - before;
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, Pattern.Receive(server));
        loop.Await(pump.Ended);
        Assert.Equal(IoError.None, pump.Operation.Error);
        loop.Do(() =>
        {
            from.Close(abort: false);
            to.Close(abort: false);
        });
        Assert.True(turns < Segments / 4, $"{turns} turns for {Segments} segments");

        void SendSegment()
        {
            Span<byte> segment = stackalloc byte[10];
            Pattern.Fill(segment, sent);
            sent += client.Send(segment);
        }
    }
}
