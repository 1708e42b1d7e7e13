using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Calls made together by io_uring have the same results as single calls, and where there is no io_uring, each is made singly.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class CallBatchTests
{
    private const int Connections = 100;

    // As in a release build: all ready events fit, and more calls are collected than are made at once.
    private const int EventBatch = 256;
    private const string NoRing = "the system lets this process have no io_uring";
    private const string LinuxOnly = "io_uring(7) is Linux's";

    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Single")]
    [InlineData("Ring")]
    public void ManyAtOnceEachGetTheirOwnBytes(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort(Enum.Parse<CallMode>(mode)) { PumpMode = PumpMode.Copy };
        using var loop = new LoopFixture(port, EventBatch);
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, Connections);
        SendAllAtOnce(loop, pairs);
        for (int i = 0; i < pairs.Count; i++)
        {
            AssertReceives(pairs[i].Server, Length(i));
            AssertReceives(pairs[i].Client, 3 * Length(i));
            pairs[i].Client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, pairs[i].Server.Receive(new byte[1]));
            pairs[i].Server.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, pairs[i].Client.Receive(new byte[1]));
        }

        Assert.Equal((IoError.None, IoError.None), relay.WaitForEnd(Connections - 1));
        Assert.All(loop.Ask(() => relay.Ends.ToArray()), end => Assert.Equal((IoError.None, IoError.None), end));
        Assert.Equal(HasRing() && mode != "Single", loop.Ask(() => port.Calls.RunCount) > 0);
        Close(pairs);
    }

    [Fact]
    public void ASingleConnectionUsesNoRing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort(CallMode.Adaptive) { PumpMode = PumpMode.Copy };
        using var loop = new LoopFixture(port);
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, 1);
        SendAllAtOnce(loop, pairs);
        AssertAllReceive(pairs);
        Assert.Equal(0, loop.Ask(() => port.Calls.RunCount));
        Close(pairs);
    }

    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Ring")]
    public void ResetsPassWhileManySend(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort(Enum.Parse<CallMode>(mode)) { PumpMode = PumpMode.Copy };
        using var loop = new LoopFixture(port);
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, Connections);
        SendAllAtOnce(loop, pairs);
        WhileTheLoopIsBlocked(loop, () =>
        {
            foreach ((Socket client, Socket server) in pairs)
            {
                client.LingerState = new LingerOption(true, 0);
                client.Close();
                server.Send("unread"u8);
            }
        });
        foreach ((Socket _, Socket server) in pairs)
        {
            SocketException reset = Assert.Throws<SocketException>(() => Pattern.Receive(server));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }

        _ = relay.WaitForEnd(Connections - 1);
        Close(pairs);
    }

    [Fact]
    public void AReaderThatStopsGetsTheRestLater()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Volume = 12_000_000;
        using var loop = new LoopFixture(new EpollPort(CallMode.Ring) { PumpMode = PumpMode.Copy });
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, 4);
        pairs.ForEach(pair => pair.Server.ReceiveBufferSize = 65536);
        Task[] senders = [.. pairs.Select(pair => Task.Run(() => Pattern.Send(pair.Client, Volume), TestContext.Current.CancellationToken))];

        // More than all buffers on the way can hold, since the last one does not grow: when nothing moves any more, the relay's sends have found no room.
        ulong moved;
        do
        {
            moved = loop.Ask(() => relay.ToServer.Value);
            Thread.Sleep(100);
        }
        while (moved == 0 || loop.Ask(() => relay.ToServer.Value) != moved);
        Assert.InRange(moved, 1UL, (4UL * Volume) - 1);
        Task<long>[] receivers = [.. pairs.Select(pair => Task.Run(() => Pattern.Receive(pair.Server), TestContext.Current.CancellationToken))];
        loop.AwaitAll([.. senders, .. receivers]);
        Assert.All(receivers, receiver => Assert.Equal(Volume, receiver.Result));
        Close(pairs);
    }

    [Theory]
    [InlineData("Adaptive")]
    [InlineData("Ring")]
    public void RoundTripsContinueDuringBulk(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Volume = 30_000_000;
        const int RoundTrips = 500;
        using var loop = new LoopFixture(new EpollPort(Enum.Parse<CallMode>(mode)) { PumpMode = PumpMode.Copy });
        using var relay = new TestRelay(loop);
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        List<(Socket Client, Socket Server)> bulk = Connect(relay, 10);
        IEnumerable<Task> senders = bulk.Select(pair => Task.Factory.StartNew(
            () => Pattern.Send(pair.Client, Volume), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        IEnumerable<Task> receivers = bulk.Select(pair => Task.Factory.StartNew(
            () => Assert.Equal(Volume, Pattern.Receive(pair.Server)), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        Task[] running = [.. senders, .. receivers];

        // New connections are accepted, and each gets its answers, whatever the ten are doing.
        List<(Socket Client, Socket Server)> pairs = Connect(relay, 10);
        for (int i = 0; i < RoundTrips; i++)
        {
            pairs.ForEach(pair => pair.Client.Send("there"u8));
            pairs.ForEach(pair => AssertReceives(pair.Server, "there"u8));
            pairs.ForEach(pair => pair.Server.Send("back"u8));
            pairs.ForEach(pair => AssertReceives(pair.Client, "back"u8));
        }

        loop.AwaitAll(running);
        Close(bulk);
        Close(pairs);
    }

    [Fact]
    public void WithoutARingEachCallIsMadeAlone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var loop = new LoopFixture(new EpollPort(CallMode.Single));
        (bool hasRing, bool isGathering) = loop.Ask(() =>
        {
            ThreadDescriptors.Separate();
            ThreadDescriptors.TakeAll();
            using var batch = new CallBatch(CallMode.Ring);
            batch.SetExpectedCalls(1000);
            return (batch.HasRing, batch.IsBatching);
        });
        Assert.Equal((false, false), (hasRing, isGathering));
    }

    [Fact]
    public void ARingThatFailsLosesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        Assert.SkipUnless(HasRing(), NoRing);
        var port = new EpollPort(CallMode.Ring) { PumpMode = PumpMode.Copy };
        using var loop = new LoopFixture(port);
        loop.Do(ThreadDescriptors.Separate);
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, 8);
        SendAllAtOnce(loop, pairs);
        AssertAllReceive(pairs);
        Assert.True(loop.Ask(() => port.Calls.HasRing));

        // In the descriptor table of the loop's thread only, the ring's descriptor becomes one of another kind, so that io_uring_enter fails before it takes the first call.
        loop.Do(() =>
        {
            string ring = Directory.GetFiles("/proc/thread-self/fd").Single(path => new FileInfo(path).LinkTarget == "anon_inode:[io_uring]");
            Assert.True(Dup2(0, int.Parse(Path.GetFileName(ring), System.Globalization.CultureInfo.InvariantCulture)) > 0);
        });
        SendAllAtOnce(loop, pairs);
        AssertAllReceive(pairs);
        Assert.False(loop.Ask(() => port.Calls.HasRing), "the ring did not fail");
        Close(pairs);
    }

    [Fact]
    public unsafe void ContinuousResultsDoNotStarveEpoll()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        Assert.SkipUnless(HasRing(), NoRing);
        using var port = new EpollPort(CallMode.Ring) { PumpMode = PumpMode.Copy };
        using var signal = new EpollHandle(port, Libc.eventfd(1, Libc.EFD_CLOEXEC), isSocket: false);
        using var socket = new EpollHandle(port, Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0), isSocket: true);
        IoOperation busy = port.Watch(signal, new Completion());
        IoOperation watch = port.Watch(signal, new Completion());
        watch.Begin();
        watch.Schedule();
        byte memory;
        bool polled = false;
        for (int turn = 0; turn < 10 && !polled; turn++)
        {
            port.Calls.SetExpectedCalls(1);
            Assert.True(port.Calls.TryAdd(SystemCall.Receive(socket, &memory, 1, busy)));
            port.EndTurn();
            var events = new IoEvent[8];
            int count = port.Wait(events, 0);
            Assert.Contains(events[..count], wake => wake.Operation == busy);
            polled = events[..count].Any(wake => wake.Operation == watch);
        }

        Assert.True(polled, "epoll was not polled");
    }

    // The kernel reports the error to the send, and the receive after it gets 0 bytes, as at the end of a stream.
    [Fact]
    public unsafe void AnErrorOfOneCallMarksTheSocketBrokenBeforeResultsAreDispatched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        Assert.SkipUnless(HasRing(), NoRing);
        using var port = new EpollPort(CallMode.Ring) { PumpMode = PumpMode.Copy };
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        using (Socket server = listener.Accept())
            server.LingerState = new LingerOption(true, 0);

        using var handle = new EpollHandle(port, client.Handle, isSocket: true, ownsDescriptor: false);
        byte* memory = stackalloc byte[2];
        port.Calls.SetExpectedCalls(2);
        Assert.True(port.Calls.TryAdd(SystemCall.Send(handle, memory, 1, port.Send(handle, new Completion()))));
        Assert.True(port.Calls.TryAdd(SystemCall.Receive(handle, memory + 1, 1, port.Receive(handle, new Completion()))));
        var events = new IoEvent[2];
        Assert.Equal(2, port.Calls.Execute(events));
        Assert.NotEqual(0, events[0].NativeError);
        Assert.Equal((0, 0u), (events[1].NativeError, events[1].Bytes));
        Assert.True(handle.Broken);
    }

    [Fact]
    public void DescriptorsAreClosedWithTheirConnections()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort(CallMode.Ring) { PumpMode = PumpMode.Copy };
        using var loop = new LoopFixture(port);

        // In a descriptor table of the loop's thread only: the other tests of this process open and close descriptors too.
        loop.Do(ThreadDescriptors.Separate);
        using var relay = new TestRelay(loop);
        Close(Connect(relay, 1));
        _ = relay.WaitForEnd(0);
        int before = loop.Ask(CountDescriptors);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, Connections);
        Assert.Equal(before + (2 * Connections), loop.Ask(CountDescriptors));
        WhileTheLoopIsBlocked(loop, () => Close(pairs));
        _ = relay.WaitForEnd(Connections);
        loop.Do(() => { });
        Assert.Equal(before, loop.Ask(CountDescriptors));
    }

    [Fact]
    public void NothingIsAllocatedWhileManyTakeTurns()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var loop = new LoopFixture(new EpollPort(CallMode.Adaptive) { PumpMode = PumpMode.Copy }, EventBatch);
        using var relay = new TestRelay(loop);
        List<(Socket Client, Socket Server)> pairs = Connect(relay, Connections);
        TakeTurns(loop, pairs, 20);
        long before = loop.AllocatedByLoop();
        TakeTurns(loop, pairs, 50);
        Assert.Equal(0, loop.AllocatedByLoop() - before);
        Close(pairs);
    }

    [Fact]
    public void StructuresAreTheKernels()
    {
        Assert.Equal(120, Marshal.SizeOf<Libc.io_uring_params>());
        Assert.Equal(40, (int)Marshal.OffsetOf<Libc.io_uring_params>("sq_off"));
        Assert.Equal(80, (int)Marshal.OffsetOf<Libc.io_uring_params>("cq_off"));
        Assert.Equal(20, (int)Marshal.OffsetOf<Libc.io_uring_params>("features"));
        Assert.Equal(24, (int)Marshal.OffsetOf<Libc.io_sqring_offsets>("array"));
        Assert.Equal(20, (int)Marshal.OffsetOf<Libc.io_cqring_offsets>("cqes"));
        Assert.Equal(64, Marshal.SizeOf<Libc.io_uring_sqe>());
        Assert.Equal(32, (int)Marshal.OffsetOf<Libc.io_uring_sqe>("user_data"));
        Assert.Equal(16, Marshal.SizeOf<Libc.io_uring_cqe>());
        Assert.Equal(8, (int)Marshal.OffsetOf<Libc.io_uring_cqe>("res"));
    }

    private static bool HasRing()
    {
        using var ring = CallRing.TryCreate(1);
        return ring is not null;
    }

    private static int Length(int connection) => 1 + (connection * 997);

    private static List<(Socket Client, Socket Server)> Connect(TestRelay relay, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => relay.Connect())];

    // While the loop is blocked it sees nothing; afterwards it sees everything at once.
    private static void WhileTheLoopIsBlocked(LoopFixture loop, Action action)
    {
        using var done = new ManualResetEventSlim();
        loop.Loop.Post(done.Wait);
        try
        {
            action();
        }
        finally
        {
            done.Set();
            loop.Do(() => { });
        }
    }

    private static void SendAllAtOnce(LoopFixture loop, List<(Socket Client, Socket Server)> pairs) => WhileTheLoopIsBlocked(loop, () =>
    {
        for (int i = 0; i < pairs.Count; i++)
        {
            pairs[i].Client.Send(Pattern.Bytes(Length(i)));
            pairs[i].Server.Send(Pattern.Bytes(3 * Length(i)));
        }
    });

    private static int CountDescriptors() => Directory.GetFileSystemEntries("/proc/thread-self/fd").Length;

    // All at once, each time: the loop spins meanwhile, since waiting would allocate.
    private static void TakeTurns(LoopFixture loop, List<(Socket Client, Socket Server)> pairs, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int sent = 0;
            loop.Loop.Post(() => SpinUntil(ref sent));
            pairs.ForEach(pair => pair.Client.Send("there"u8));
            pairs.ForEach(pair => pair.Server.Send("back"u8));
            Volatile.Write(ref sent, 1);
            pairs.ForEach(pair => AssertReceives(pair.Server, "there"u8));
            pairs.ForEach(pair => AssertReceives(pair.Client, "back"u8));
        }
    }

    private static void SpinUntil(ref int flag)
    {
        while (Volatile.Read(ref flag) == 0)
            Thread.SpinWait(20);
    }

    private static void AssertAllReceive(List<(Socket Client, Socket Server)> pairs)
    {
        for (int i = 0; i < pairs.Count; i++)
        {
            AssertReceives(pairs[i].Server, Length(i));
            AssertReceives(pairs[i].Client, 3 * Length(i));
        }
    }

    private static void AssertReceives(Socket from, int length) => AssertReceives(from, Pattern.Bytes(length));

    private static void AssertReceives(Socket from, ReadOnlySpan<byte> expected)
    {
        byte[] bytes = new byte[expected.Length];
        for (int received = 0; received < bytes.Length;)
        {
            int count = from.Receive(bytes, received, bytes.Length - received, SocketFlags.None);
            Assert.NotEqual(0, count);
            received += count;
        }

        Assert.True(expected.SequenceEqual(bytes));
    }

    private static void Close(List<(Socket Client, Socket Server)> pairs) => pairs.ForEach(pair =>
    {
        pair.Client.Dispose();
        pair.Server.Dispose();
    });

    [LibraryImport("libc", EntryPoint = "dup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Dup2(int from, int to);
}
