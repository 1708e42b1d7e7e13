using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io.Linux;

[SupportedOSPlatform("linux")]
public class DatagramFloodTests
{
    [Fact]
    public void ASocketThatIsNeverEmptyLeavesEachTurnToTheOthers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux receives datagrams in batches");
        using var loop = new LoopFixture();
        using TestSignal signal = TestPlatform.CreateSignal();
        Completion watch = loop.Start(owner => loop.Port.Watch(signal.Handle, owner));
        using var flood = new Flood(signal, watch);
        loop.Do(() => flood.Start(loop));
        loop.Await(flood.Ended);
        loop.Stop();
        Assert.InRange(flood.BatchesAfterSignal, 0, 3);
    }

    // Sends more than the loop takes at a time whenever it takes something.
    private sealed class Flood(TestSignal signal, Completion watch) : IDatagramOwner, IDisposable
    {
        private const int SignalAt = 30;
        private const int MaxBatches = 1000;

        private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private IoSocket _socket = null!;
        private int _batches;

        internal Task Ended => _ended.Task;

        internal int BatchesAfterSignal => _batches - SignalAt;

        internal void Start(LoopFixture loop)
        {
            _socket = loop.Port.Listen(IoEndpoint.Udp(IPAddress.Loopback, 0));
            _sender.Connect(IPAddress.Loopback, _socket.LocalPort);
            loop.Loop.Start(loop.Port.ReceiveDatagrams(_socket, this));
            Send();
        }

        public void Received(DatagramBatch batch)
        {
            if (watch.Count > 0 || _batches == MaxBatches)
            {
                _ended.TrySetResult();
                return;
            }

            if (++_batches == SignalAt)
                signal.Set();

            Send();
        }

        public void Completed(IoOperation operation) => _socket.Close(abort: false);

        public void Dispose()
        {
            _sender.Dispose();
            _socket.Dispose();
        }

        private void Send()
        {
            for (int i = 0; i < 2 * DatagramBatch.Capacity; i++)
                _ = _sender.Send([1]);
        }
    }
}
