using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io;
using Wslrelay.Tests.EndToEnd.Harness;
using Xunit;
using Libc = Wslrelay.Io.Linux.Interop.Libc;

namespace Wslrelay.Tests.Io.Linux;

/// <summary>A named FIFO is a pipe to the loop, as an anonymous one is.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class StandardStreamTests
{
    [Fact]
    public void ANamedFifoIsReadByTheLoop()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "FIFOs are Linux's.");
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "fifo");
        Assert.Equal(0, MakeFifo(path, 0x180));

        // Open for reading and writing does not wait for the other side (fifo(7)).
        using var fifo = new SafeFileHandle(Libc.open(path, 2 | Libc.O_CLOEXEC), ownsHandle: true);
        using var loop = new LoopFixture();
        IoHandle? input = loop.Ask(() => loop.Port.TryOpenPipe(fifo, write: false));
        Assert.NotNull(input);
        byte[] memory = GC.AllocateArray<byte>(16, pinned: true);
        Completion receive = loop.Start(owner =>
        {
            TransferOperation operation = loop.Port.Receive(input, owner);
            operation.Buffer = memory;
            return operation;
        });
        Assert.Equal(5, Write(fifo, "there"u8));
        loop.Await(receive.Ended);
        Assert.Equal("there"u8, memory.AsSpan(0, ((TransferOperation)receive.Operation).BytesTransferred));
        loop.Do(() => input.Close(abort: false));
    }

    private static unsafe nint Write(SafeFileHandle to, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* memory = bytes)
        {
            return Libc.write(to, memory, (nuint)bytes.Length);
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeFifo(string path, uint mode);
}
