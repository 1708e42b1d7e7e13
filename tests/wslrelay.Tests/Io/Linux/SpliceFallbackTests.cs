using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Wslrelay.Io;
using Wslrelay.Io.Linux;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>Where no pipe can be created, or the system cannot splice, bytes are copied instead: each way to fail, forced.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class SpliceFallbackTests
{
    private const long Length = 8 * 1024 * 1024;
    private const int MorePipesThanAnyBudget = 1000;
    private const string LinuxOnly = "splice(2) is Linux's";

    [Fact]
    public void WithoutDescriptorsForAPipeItCopies()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var loop = new LoopFixture(new EpollPort { PumpMode = PumpMode.Adaptive });

        // Only in the loop's thread: whatever else the process does meanwhile, such as starting a thread, needs descriptors too.
        loop.Do(ThreadDescriptors.Separate);
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();
        loop.Do(ThreadDescriptors.TakeAll);
        Assert.False(CanMakeAPipe(loop), "a descriptor is still free");
        Transfer(loop, client, server);
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public void WithoutRoomForAPipeItCopies()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        using var loop = new LoopFixture(new EpollPort { PumpMode = PumpMode.Adaptive });
        using var relay = new TestRelay(loop);
        (Socket client, Socket server) = relay.Connect();

        // The loop's thread may not exceed the user's budget (pipe-user-pages-soft, 64 MiB), and spends it.
        loop.Do(DropPrivileges);
        List<SplicePipe> pipes = loop.Ask(TakeAllPipes);
        try
        {
            Assert.InRange(pipes.Count, 0, MorePipesThanAnyBudget - 1);
            Transfer(loop, client, server);
        }
        finally
        {
            pipes.ForEach(pipe => pipe.Dispose());
        }

        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public void ASourceThatCannotSpliceIsCopied()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort { PumpMode = PumpMode.Splice };
        using var loop = new LoopFixture(port);
        (IoSocket near, Socket far) = Connected(loop);
        EpollHandle counter = loop.Ask(() =>
        {
            // An eventfd: read(2) gives eight bytes, splice(2) EINVAL.
            var made = new EpollHandle(port, Libc.eventfd(7, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), isSocket: false) { Readable = true };
            port.Register(made);
            return made;
        });
        Completion pump = loop.Start(owner => port.Pump(counter, near, new ByteCounter(), owner));
        byte[] bytes = new byte[8];
        Assert.Equal(8, far.Receive(bytes));
        Assert.Equal(7, BitConverter.ToInt64(bytes));
        loop.Do(() => pump.Operation.Cancel());
        loop.Await(pump.Ended);
        loop.Do(() =>
        {
            near.Close(abort: true);
            counter.Close(abort: false);
        });
        far.Dispose();
    }

    [Fact]
    public void ATargetThatCannotBeSplicedToIsCopiedTo()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        var port = new EpollPort { PumpMode = PumpMode.Splice };
        using var loop = new LoopFixture(port);
        (IoSocket near, Socket far) = Connected(loop);
        using var folder = new TemporaryFolder();
        string path = System.IO.Path.Combine(folder.Path, "appended");

        // A file opened with O_APPEND: write(2) works, splice(2) gives EINVAL.
        const int O_CREAT = 0x40;
        const int O_APPEND = 0x400;
        const int OwnerOnly = 0x180;
        int descriptor = Open(path, Libc.O_WRONLY | Libc.O_CLOEXEC | O_CREAT | O_APPEND, OwnerOnly);
        Assert.True(descriptor >= 0, "the file cannot be created");
        EpollHandle file = loop.Ask(() => new EpollHandle(port, descriptor, isSocket: false));
        Completion pump = loop.Start(owner => port.Pump(near, file, new ByteCounter(), owner));
        Pattern.Send(far, Length);
        loop.Await(pump.Ended);
        loop.Do(() =>
        {
            near.Close(abort: false);
            file.Close(abort: false);
        });
        byte[] written = File.ReadAllBytes(path);
        Assert.Equal(Length, written.Length);
        Pattern.Check(written, 0);
        far.Dispose();
    }

    private static void Transfer(LoopFixture loop, Socket client, Socket server)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var receiver = Task.Run(() => Pattern.Receive(client), cancellation);
        loop.AwaitAll(Task.Run(() => Pattern.Send(server, Length), cancellation), receiver);
        Assert.Equal(Length, receiver.Result);
    }

    private static List<SplicePipe> TakeAllPipes()
    {
        var pipes = new List<SplicePipe>();
        while (pipes.Count < MorePipesThanAnyBudget && SplicePipe.TryCreate() is { } pipe)
            pipes.Add(pipe);

        return pipes;
    }

    private static bool CanMakeAPipe(LoopFixture loop) => loop.Ask(() =>
    {
        using SplicePipe? pipe = SplicePipe.TryCreate();
        return pipe is not null;
    });

    private static (IoSocket Near, Socket Far) Connected(LoopFixture loop)
    {
        TestListener listener = loop.Listen();
        Socket far = LoopFixture.ConnectClient(listener.Port);
        return (listener.Take(), far);
    }

    // Only of the calling thread: CAP_SYS_ADMIN and CAP_SYS_RESOURCE let it exceed what pipes may take (pipe(7), capabilities(7)).
    private static void DropPrivileges()
    {
        const uint Version3 = 0x20080522;
        const int CAP_SYS_ADMIN = 21;
        const int CAP_SYS_RESOURCE = 24;
        ulong header = Version3;
        uint[] sets = new uint[6];
        Assert.Equal(0, Capget(ref header, sets));
        sets[0] &= ~((1u << CAP_SYS_ADMIN) | (1u << CAP_SYS_RESOURCE));
        Assert.Equal(0, Capset(ref header, sets));
    }

    [LibraryImport("libc", EntryPoint = "capget")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Capget(ref ulong header, [In, Out] uint[] data);

    [LibraryImport("libc", EntryPoint = "capset")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Capset(ref ulong header, uint[] data);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, uint mode);
}
