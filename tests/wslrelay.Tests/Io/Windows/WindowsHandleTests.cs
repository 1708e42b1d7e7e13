using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Wslrelay.Io;
using Wslrelay.Io.Windows;
using Wslrelay.Tests.Io.Platform;
using Wslrelay.TestTools;
using Xunit;

namespace Wslrelay.Tests.Io.Windows;

[SupportedOSPlatform("windows")]
public partial class WindowsHandleTests
{
    [WindowsFact]
    public void AnInheritedEventIsASignal()
    {
        using var loop = new LoopFixture();
        var set = new EventWaitHandle(false, EventResetMode.AutoReset);
        SafeHandle signal = Open(loop, set.SafeWaitHandle, inherited: true);
        Completion watch = loop.Start(owner => loop.Port.Watch(signal, owner));
        set.Set();
        loop.Await(watch.Ended);
        Assert.Equal(IoError.None, watch.Operation.Error);
        signal.SetHandleAsInvalid();
        set.Dispose();
    }

    [WindowsFact]
    public void AProcessIsASignal()
    {
        using var loop = new LoopFixture();
        using var child = Wine.Start(() => Process.Start(new ProcessStartInfo("cmd.exe", "/c exit 0") { CreateNoWindow = true })!);
        Completion watch = loop.Start(owner => loop.Port.Watch(child.SafeHandle, owner));
        loop.Await(watch.Ended);
        Assert.Equal(IoError.None, watch.Operation.Error);
        Assert.True(child.HasExited);
    }

    [WindowsFact]
    public void OtherNumbersAreRefused()
    {
        using var loop = new LoopFixture();
        using var own = new EventWaitHandle(false, EventResetMode.ManualReset);
        Assert.Contains("not inherited", Refused(() => Open(loop, own.SafeWaitHandle, inherited: false)), StringComparison.Ordinal);
        using var mutex = new Mutex();
        Assert.Contains("not an event", Refused(() => Open(loop, mutex.SafeWaitHandle, inherited: true)), StringComparison.Ordinal);
        Assert.Contains("not an open handle", Refused(() => loop.Ask(() => loop.Port.OpenSignal(0x7FFF_FFF0))), StringComparison.Ordinal);
        foreach (long number in (long[])[0, -1, -2, 3, 5, long.MaxValue])
            Assert.Contains("not a handle's number", Refused(() => loop.Ask(() => loop.Port.OpenSignal(number))), StringComparison.Ordinal);
    }

    [WindowsFact]
    public void SynchronousHandlesNeedAThread()
    {
        using var loop = new LoopFixture();
        using var anonymous = new AnonymousPipeServerStream(PipeDirection.In);
        Assert.Null(loop.Ask(() => loop.Port.TryOpenPipe(anonymous.SafePipeHandle, write: false)));
        (SafeHandle read, SafeHandle write) = WindowsPipes.CreateSynchronous();
        Assert.Null(loop.Ask(() => loop.Port.TryOpenPipe(read, write: false)));
        read.Dispose();
        write.Dispose();
        using SafeFileHandle file = File.OpenHandle(Environment.ProcessPath!);
        Assert.Null(loop.Ask(() => loop.Port.TryOpenPipe(file, write: false)));
    }

    [WindowsFact]
    public void APipeOfAnotherPortNeedsAThread()
    {
        using var loop = new LoopFixture();
        using var other = new LoopFixture();
        (SafeHandle read, SafeHandle write) = WindowsPipes.CreateOverlapped();
        IoHandle taken = other.Ask(() => other.Port.TryOpenPipe(read, write: false))!;
        Assert.NotNull(taken);
        Assert.Null(loop.Ask(() => loop.Port.TryOpenPipe(read, write: false)));
        other.Do(() => taken.Close(abort: false));
        read.Dispose();
        write.Dispose();
    }

    [WindowsFact]
    public void AMachineWithoutHyperVSocketsSaysSo()
    {
        Assert.SkipUnless(TestPlatform.IsWine, "this machine may have Hyper-V sockets");
        using var loop = new LoopFixture();
        IoException refused = Assert.Throws<IoException>(() => loop.Port.RequireSupport(IoEndpointKind.HvSocket));
        Assert.Equal(IoError.NotSupported, refused.Error);
        Assert.Contains("Hyper-V", refused.Message, StringComparison.Ordinal);
        Completion connect = loop.Start(owner => loop.Port.Connect(IoEndpoint.HvSocket(Guid.NewGuid(), 50000), owner));
        loop.Await(connect.Ended);
        Assert.Equal(IoError.NotSupported, connect.Operation.Error);
    }

    [WindowsFact]
    public void ErrorsOfCallsAndOfCompletionPacketsAreTheSame()
    {
        Assert.Equal(IoError.Reset, NativeError.ToIoError(10054));
        Assert.Equal(IoError.Reset, NativeError.ToIoError(StatusToError(0xC000020D))); // STATUS_CONNECTION_RESET
        Assert.Equal(IoError.Reset, NativeError.ToIoError(StatusToError(0xC0000241))); // STATUS_CONNECTION_ABORTED
        Assert.Equal(IoError.ConnectionRefused, NativeError.ToIoError(StatusToError(0xC0000236))); // STATUS_CONNECTION_REFUSED
        Assert.Equal(IoError.TimedOut, NativeError.ToIoError(StatusToError(0xC00000B5))); // STATUS_IO_TIMEOUT
        Assert.Equal(IoError.HostUnreachable, NativeError.ToIoError(StatusToError(0xC000023D))); // STATUS_HOST_UNREACHABLE
        Assert.Equal(IoError.Cancelled, NativeError.ToIoError(StatusToError(0xC0000120))); // STATUS_CANCELLED
    }

    private static int StatusToError(uint status) => (int)Wslrelay.Io.Windows.Interop.Ntdll.RtlNtStatusToDosError(unchecked((int)status));

    private static string Refused(Action open)
    {
        IoException refused = Assert.Throws<IoException>(open);
        Assert.Equal(IoError.NotSupported, refused.Error);
        return refused.Message;
    }

    private static SafeHandle Open(LoopFixture loop, SafeHandle handle, bool inherited)
    {
        Assert.True(SetHandleInformation(handle, 1, inherited ? 1u : 0));
        return loop.Ask(() => loop.Port.OpenSignal(handle.DangerousGetHandle()));
    }

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool SetHandleInformation(SafeHandle hObject, uint dwMask, uint dwFlags);
}
