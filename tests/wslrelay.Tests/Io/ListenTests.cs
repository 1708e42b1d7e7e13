using System.Net;
using System.Net.Sockets;
using Wslrelay.Io;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;

namespace Wslrelay.Tests.Io;

public class ListenTests
{
    [Fact]
    public void FiveThousandListenersAreEachReachedOnce()
    {
        const int Count = 5000;
        using var loop = new LoopFixture();
        int[] reached = new int[Count];
        TestListener[] listeners = loop.Ask(() =>
        {
            var made = new TestListener[Count];
            for (int i = 0; i < Count; i++)
            {
                int index = i;
                made[i] = new TestListener(loop, IPAddress.Loopback, 0, socket =>
                {
                    reached[index]++;
                    socket.Close(abort: true);
                });
            }

            return made;
        });
        Assert.Equal(Count, listeners.Select(listener => listener.Port).Distinct().Count());
        foreach (TestListener listener in listeners)
        {
            using Socket? client = LoopFixture.ConnectToBeReset(listener.Port);
            if (client is not null)
                ReadToReset(client);
        }

        loop.Stop();
        Assert.All(reached, times => Assert.Equal(1, times));
        Assert.All(listeners, listener => Assert.Equal(1, listener.Ends));
    }

    [Fact]
    public void ABurstToOneListenerArrivesWhole()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        var clients = new List<Socket>();
        for (int i = 0; i < 200; i++)
            clients.Add(LoopFixture.ConnectClient(listener.Port));

        for (int i = 0; i < clients.Count; i++)
        {
            IoSocket accepted = listener.Take();
            loop.Do(() => accepted.Close(abort: true));
        }

        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public void ListenersComeAndGoUnderTraffic()
    {
        using var loop = new LoopFixture();
        using var relay = new TestRelay(loop);
        using var stop = new CancellationTokenSource();
        (Socket client, Socket server) = relay.Connect();
        var traffic = Task.Run(() => Pattern.Send(client, 8_000_000), TestContext.Current.CancellationToken);
        long received = 0;
        var sink = Task.Run(() => received = Pattern.Receive(server), TestContext.Current.CancellationToken);
        for (int i = 0; i < 200; i++)
        {
            TestListener listener = loop.Listen();
            using (LoopFixture.ConnectClient(listener.Port))
            {
                IoSocket accepted = listener.Take();
                loop.Do(() => accepted.Close(abort: true));
            }

            listener.Close();
            Assert.Equal(1, listener.Ends);
        }

        loop.Await(traffic);
        loop.Await(sink);
        Assert.Equal(8_000_000, received);
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public void AClosedListenerRefusesAndItsPortIsFree()
    {
        const int Rounds = 50;
        using var loop = new LoopFixture();
        for (int round = 0; round < Rounds; round++)
        {
            TestListener first = loop.Listen(port: Net.FreePort());
            first.Close();
            Assert.Equal(IoError.Cancelled, first.Operation.Error);
            Assert.Throws<SocketException>(() => LoopFixture.ConnectClient(first.Port));
            TestListener second = loop.Listen(port: first.Port);
            Assert.Equal(first.Port, second.Port);
            second.Close();
        }
    }

    [Fact]
    public void AnAddressIsNeverShared()
    {
        using var loop = new LoopFixture();
        TestListener first = loop.Listen();
        IoException refused = Assert.Throws<IoException>(() => loop.Listen(port: first.Port));
        Assert.Equal(IoError.AddressInUse, refused.Error);
        using Socket client = LoopFixture.ConnectClient(first.Port);
        IoSocket accepted = first.Take();
        loop.Do(() => accepted.Close(abort: true));
    }

    [Fact]
    public void ForeignSocketsAreNeitherSharedNorShadowed()
    {
        using var loop = new LoopFixture();
        foreach (IPAddress address in (IPAddress[])[IPAddress.Loopback, IPAddress.Any])
        {
            using var foreign = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            int port = Net.FreePort();
            foreign.Bind(new IPEndPoint(address, port));
            foreign.Listen();
            IoException refused = Assert.Throws<IoException>(() => loop.Listen(port: port));
            Assert.Equal(IoError.AddressInUse, refused.Error);
        }
    }

    [Fact]
    public void BothFamiliesAndSeveralAddressesLiveOnOneNumber()
    {
        using var loop = new LoopFixture();
        TestListener four = loop.Listen(port: Net.FreePort());
        TestListener six = loop.Listen(IPAddress.IPv6Loopback, four.Port);
        TestListener other = loop.Listen(IPAddress.Parse("127.0.0.2"), four.Port);
        foreach ((TestListener listener, IPAddress address) in ((TestListener, IPAddress)[])
            [(four, IPAddress.Loopback), (six, IPAddress.IPv6Loopback), (other, IPAddress.Parse("127.0.0.2"))])
        {
            using Socket client = LoopFixture.ConnectClient(listener.Port, address);
            IoSocket accepted = listener.Take();
            loop.Do(() => accepted.Close(abort: true));
        }
    }

    [Fact]
    public void AForeignAddressIsNotAvailable()
    {
        using var loop = new LoopFixture();
        IoException refused = Assert.Throws<IoException>(() => loop.Listen(IPAddress.Parse("192.0.2.1")));
        Assert.Equal(IoError.AddressNotAvailable, refused.Error);
    }

    [Theory]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("fe80::1", "link-local")]
    public void AnAddressThatCannotBeListenedOnIsNotAvailableAndTheErrorSaysWhy(string address, string reason)
    {
        using var loop = new LoopFixture();
        IoException refused = Assert.Throws<IoException>(() => loop.Listen(IPAddress.Parse(address)));
        Assert.Equal(IoError.AddressNotAvailable, refused.Error);
        Assert.Contains($"{address} ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    private static void ReadToReset(Socket client)
    {
        try
        {
            Assert.Equal(0, client.Receive(new byte[1]));
        }
        catch (SocketException)
        {
            // A reset, as it should be; a system may also report an end of stream.
        }
    }
}
