using System.Net.Sockets;
using System.Text;
using Wslrelay.Io;
using Xunit;

namespace Wslrelay.Tests.Io;

/// <summary>A pump whose sender marks its end of sending by chunks (<see cref="ChunkMode.Read"/>), with a plain one in the other direction.</summary>
public sealed class ChunkTests
{
    private static readonly byte[] Mark = [0, 0, 0, 0];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(1000)]
    public void ChunksSplitInAnyWayAreReassembledAndTheMarkEndsThem(int piece)
    {
        using var hop = new Hop();
        byte[] sent = [.. Chunk("a"), .. Chunk("longer"), .. Chunk(new string('x', 1000)), .. Mark];
        for (int i = 0; i < sent.Length; i += piece)
            hop.Sender.Send(sent.AsSpan(i, Math.Min(piece, sent.Length - i)));

        Assert.Equal("alonger" + new string('x', 1000), ReceiveToEnd(hop.Receiver));
        Assert.Equal(1007u, hop.Counter.Value);
        hop.Receiver.Send("still open"u8);
        hop.Receiver.Shutdown(SocketShutdown.Send);
        Assert.Equal("still open", ReceiveToEnd(hop.Sender));
        hop.Sender.Close();
        Assert.Equal(IoError.None, hop.End());
    }

    [Theory]
    [InlineData("within a chunk", false)]
    [InlineData("after a chunk", false)]
    [InlineData("after a chunk", true)]
    public void AnEndWithoutTheMarkIsAReset(string where, bool receiverHasEnded)
    {
        using var hop = new Hop();
        hop.Sender.Send(Chunk("part").AsSpan(0, where == "after a chunk" ? 8 : 6));
        Assert.Equal((byte)'p', Receive(hop.Receiver));
        if (receiverHasEnded)
        {
            hop.Receiver.Shutdown(SocketShutdown.Send);
            Assert.Equal("", ReceiveToEnd(hop.Sender));
        }

        hop.Sender.Shutdown(SocketShutdown.Send);
        Assert.Equal(IoError.Reset, hop.End());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BytesAfterTheMarkAndAnEndBeforeTheReceiversAreResets(bool bytes)
    {
        using var hop = new Hop();
        hop.Sender.Send(Mark);
        Assert.Equal("", ReceiveToEnd(hop.Receiver));
        if (bytes)
            hop.Sender.Send(new byte[1]);
        else
            hop.Sender.Shutdown(SocketShutdown.Send);

        Assert.Equal(IoError.Reset, hop.End());
    }

    private static byte[] Chunk(string text) => [0, 0, (byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static byte Receive(Socket socket)
    {
        byte[] one = new byte[1];
        Assert.Equal(1, socket.Receive(one));
        return one[0];
    }

    private static string ReceiveToEnd(Socket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        for (int count; (count = socket.Receive(buffer)) > 0;)
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));

        return text.ToString();
    }

    private sealed class Hop : IDisposable
    {
        private readonly LoopFixture _loop = new();
        private readonly IoSocket[] _ends = new IoSocket[2];
        private readonly Completion _read;
        private readonly Completion _other;

        internal Hop()
        {
            TestListener listener = _loop.Listen();
            Sender = LoopFixture.ConnectClient(listener.Port);
            _ends[0] = listener.Take();
            Receiver = LoopFixture.ConnectClient(listener.Port);
            _ends[1] = listener.Take();
            _read = _loop.Start(owner => _loop.Port.Pump(_ends[0], _ends[1], Counter, owner, ChunkMode.Read));
            _other = _loop.Start(owner => _loop.Port.Pump(_ends[1], _ends[0], new ByteCounter(), owner));
        }

        internal ByteCounter Counter { get; } = new();

        internal Socket Sender { get; }

        internal Socket Receiver { get; }

        internal IoError End()
        {
            _loop.Await(_read.Ended);
            return _read.Operation.Error;
        }

        public void Dispose()
        {
            Sender.Dispose();
            Receiver.Dispose();
            _loop.Do(() => _other.Operation.Cancel());
            _loop.Await(_other.Ended);
            _loop.Await(_read.Ended);
            _loop.Do(() => Array.ForEach(_ends, end => end.Close(abort: true)));
            _loop.Dispose();
        }
    }
}
