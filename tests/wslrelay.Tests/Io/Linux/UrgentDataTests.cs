using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>
/// TCP's urgent data: recv(2) stops before it and splice(2) never passes it. The urgent byte itself is not relayed; all others are.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class UrgentDataTests
{
    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Copy")]
    [InlineData("Splice")]
    public void BytesAfterItArriveWhereNoWaitHasReportedIt(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the pump that splices is Linux's");
        using var loop = new LoopFixture(new EpollPort { PumpMode = Enum.Parse<PumpMode>(mode) });
        using var relay = new TestRelay(loop);
        Socket client = loop.Ask(() =>
        {
            // All bytes have arrived when the connection is accepted, connected and pumped, in one turn.
            Socket early = LoopFixture.ConnectClient(relay.Port);
            early.Send("abc"u8);
            early.Send("!"u8, SocketFlags.OutOfBand);
            early.Send("def"u8);
            return early;
        });
        Socket server = relay.Accept();
        Assert.Equal("abcdef", Receive(server));
        client.Dispose();
        server.Dispose();
    }

    // splice takes the error, which is reported once, and leaves the bytes.
    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Copy")]
    [InlineData("Splice")]
    public void BytesAfterItArriveBeforeAResetToo(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the pump that splices is Linux's");
        using var relay = new PumpFixture(Enum.Parse<PumpMode>(mode), CallMode.Single);
        relay.Loop.Do(() =>
        {
            relay.Client.Send("!"u8, SocketFlags.OutOfBand);
            relay.Client.Send("abcdef"u8);
            relay.Client.LingerState = new LingerOption(true, 0);
            relay.Client.Close();
        });
        relay.Loop.Await(relay.Pump.Ended);
        Assert.Equal("abcdef", Receive(relay.Server));
        Assert.Equal(IoError.Reset, relay.Pump.Operation.Error);
    }

    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Copy")]
    [InlineData("Splice")]
    public void BytesAfterItArriveAtOnceAndToTheEnd(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the pump that splices is Linux's");
        using var loop = new LoopFixture(new EpollPort { PumpMode = Enum.Parse<PumpMode>(mode) });
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        loop.Do(() =>
        {
            // The loop sees all of it at once.
            client.Send("abc"u8);
            client.Send("!"u8, SocketFlags.OutOfBand);
            client.Send("def"u8);
        });
        Assert.Equal("abcdef", Receive(server));

        byte[] bulk = Pattern.Bytes(4 * 1024 * 1024);
        var sender = Task.Run(
            () =>
            {
                client.Send(bulk.AsSpan(0, 3_000_000));
                client.Send("!"u8, SocketFlags.OutOfBand);
                client.Send(bulk.AsSpan(3_000_000));
                client.Shutdown(SocketShutdown.Send);
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(bulk.Length, Pattern.Receive(server));
        loop.Await(sender);
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal((IoError.None, IoError.None), relay.WaitForEnd());
        client.Dispose();
        server.Dispose();
    }

    private static string Receive(Socket server)
    {
        byte[] bytes = new byte[6];
        for (int received = 0; received < bytes.Length;)
        {
            int count = server.Receive(bytes.AsSpan(received));
            Assert.NotEqual(0, count);
            received += count;
        }

        return Encoding.ASCII.GetString(bytes);
    }
}
