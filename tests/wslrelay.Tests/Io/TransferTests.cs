using System.Net.Sockets;
using System.Runtime.InteropServices;
using Wslrelay.Io;
using Wslrelay.Tests.Io.Platform;
using Xunit;

namespace Wslrelay.Tests.Io;

public class TransferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64 * 1024)]
    [InlineData(1_000_003)]
    [InlineData(50_000_000)]
    public void APipeCarriesEveryByteAndTheEnd(int length)
    {
        using var loop = new LoopFixture();
        (SafeHandle readEnd, SafeHandle writeEnd) = TestPlatform.CreatePipe();
        IoHandle read = loop.Ask(() => loop.Port.TryOpenPipe(readEnd, write: false))!;
        IoHandle write = loop.Ask(() => loop.Port.TryOpenPipe(writeEnd, write: true))!;
        Assert.NotNull(read);
        Assert.NotNull(write);
        byte[] bytes = Pattern.Bytes(length);
        var reader = new Reader(loop, read);
        loop.Do(() => reader.Start());
        Completion send = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Send(write, owner);
            operation.Buffer = bytes;
            return operation;
        });
        loop.Await(send.Ended);
        Assert.Equal(IoError.None, send.Operation.Error);
        Assert.Equal(length, ((TransferOperation)send.Operation).BytesTransferred);
        loop.Do(() => write.Close(abort: false));
        writeEnd.Dispose();
        loop.Await(reader.Ended);
        Assert.Equal(length, reader.Received);
        loop.Do(() => read.Close(abort: false));
        readEnd.Dispose();
    }

    [Fact]
    public void AWriteToAPipeWithoutReaderIsReset()
    {
        using var loop = new LoopFixture();
        (SafeHandle readEnd, SafeHandle writeEnd) = TestPlatform.CreatePipe();
        IoHandle write = loop.Ask(() => loop.Port.TryOpenPipe(writeEnd, write: true))!;
        readEnd.Dispose();
        Completion send = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Send(write, owner);
            operation.Buffer = Pattern.Bytes(100);
            return operation;
        });
        loop.Await(send.Ended);
        Assert.Equal(IoError.Reset, send.Operation.Error);
        loop.Do(() => write.Close(abort: false));
        writeEnd.Dispose();
    }

    [Fact]
    public void ASocketSendsAndReceives()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        using Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket accepted = listener.Take();
        Completion send = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Send(accepted, owner);
            operation.Buffer = Pattern.Bytes(3_000_000);
            return operation;
        });
        var reader = new Reader(loop, accepted);
        loop.Do(() => reader.Start());
        byte[] received = new byte[3_000_000];
        for (int got = 0; got < received.Length;)
        {
            int count = client.Receive(received, got, received.Length - got, SocketFlags.None);
            Assert.NotEqual(0, count);
            got += count;
        }

        Pattern.Check(received, 0);
        loop.Await(send.Ended);
        Pattern.Send(client, 500_000);
        loop.Await(reader.Ended);
        Assert.Equal(500_000, reader.Received);
        loop.Do(() => accepted.Close(abort: false));
    }

    [Fact]
    public void AReceiveThatIsResetReportsTheReset()
    {
        using var loop = new LoopFixture();
        TestListener listener = loop.Listen();
        Socket client = LoopFixture.ConnectClient(listener.Port);
        IoSocket accepted = listener.Take();
        Completion receive = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Receive(accepted, owner);
            operation.Buffer = Pattern.Bytes(100);
            return operation;
        });
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        loop.Await(receive.Ended);
        Assert.Equal(IoError.Reset, receive.Operation.Error);
        loop.Do(() => accepted.Close(abort: true));
    }

    /// <summary>Receives to the end with one operation, started repeatedly.</summary>
    private sealed class Reader : IIoOwner
    {
        private readonly LoopFixture _loop;
        private readonly TransferOperation _receive;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Reader(LoopFixture loop, IoHandle from)
        {
            _loop = loop;
            _receive = loop.Port.Receive(from, this);
            _receive.Buffer = GC.AllocateUninitializedArray<byte>(70_000, pinned: true);
        }

        internal Task Ended => _ended.Task;

        internal long Received { get; private set; }

        public void Completed(IoOperation operation)
        {
            if (operation.Error != IoError.None || _receive.BytesTransferred == 0)
            {
                if (operation.Error == IoError.None)
                    _ended.SetResult();
                else if (operation.Error != IoError.Cancelled)
                    _ended.SetException(new IoException(operation.Error, operation.NativeError, "receive"));

                return;
            }

            Pattern.Check(_receive.Buffer.Span[.._receive.BytesTransferred], Received);
            Received += _receive.BytesTransferred;
            Start();
        }

        internal void Start() => _loop.Loop.Start(_receive);
    }
}
